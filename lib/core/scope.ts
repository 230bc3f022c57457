import { Failure } from './failure';

/** A link of the listeners' list: adding and removing one costs a few assignments, on every call. */
interface Listener {
  readonly fn: (reason: Failure) => void;
  listening: boolean;
  previous: Listener | undefined;
  next: Listener | undefined;
}

/**
 * A cancellation scope. Unlike AbortSignal it costs nothing until someone listens; the real signal is made
 * only when a library asks for one.
 */
export class Scope {
  #reason: Failure | undefined;
  #first: Listener | undefined;
  #last: Listener | undefined;
  #count = 0;
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): Failure | undefined {
    return this.#reason;
  }

  /** For libraries that take an AbortSignal; created on first use. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: Failure = cancelled()): void {
    if (this.#reason) return;
    this.#reason = reason;
    for (let one = this.#first; one; one = this.#first) {
      this.#remove(one);
      hear(one.fn, reason);
    }
    this.#controller?.abort(reason);
  }

  /** Runs `fn` on abort (at once when already aborted). Returns the function that removes it again. */
  onAbort(fn: (reason: Failure) => void): () => void {
    if (this.#reason) {
      hear(fn, this.#reason);
      return () => {};
    }
    const one: Listener = { fn, listening: true, previous: this.#last, next: undefined };
    if (this.#last) this.#last.next = one;
    else this.#first = one;
    this.#last = one;
    this.#count += 1;
    return () => this.#remove(one);
  }

  #remove(one: Listener): void {
    if (!one.listening) return;
    one.listening = false;
    if (one.previous) one.previous.next = one.next;
    else this.#first = one.next;
    if (one.next) one.next.previous = one.previous;
    else this.#last = one.previous;
    this.#count -= 1;
  }

  /** How many listeners are waiting; for leak tests. */
  get listenerCount(): number {
    return this.#count;
  }

  throwIfAborted(): void {
    if (this.#reason) throw this.#reason;
  }
}

/** Scopes end in timers and events: a listener that throws must reach neither the process nor the others. */
function hear(fn: (reason: Failure) => void, reason: Failure): void {
  try {
    fn(reason);
  } catch {
    // The scope is over all the same.
  }
}

export function cancelled(message = 'The call was cancelled because its node is stopping.'): Failure {
  return new Failure('cancelled', 'CANCELLED', message);
}
