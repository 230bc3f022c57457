import { Failure } from './failure';

/**
 * Hears the end of a scope, and is itself the link of the list of those who do: listening costs a few assignments and
 * no allocation, on every call. `scope`, `previous` and `next` belong to the scope; a listener listens to one at a time.
 */
export interface ScopeListener {
  ended(reason: Failure): void;
  /** The scope that it listens to. */
  scope: Scope | undefined;
  previous: ScopeListener | undefined;
  next: ScopeListener | undefined;
}

class Callback implements ScopeListener {
  scope: Scope | undefined;
  previous: ScopeListener | undefined;
  next: ScopeListener | undefined;
  constructor(readonly ended: (reason: Failure) => void) {}
}

/**
 * A cancellation scope. Unlike AbortSignal it costs nothing until someone listens; the real signal is made
 * only when a library asks for one.
 */
export class Scope {
  #reason: Failure | undefined;
  #first: ScopeListener | undefined;
  #last: ScopeListener | undefined;
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
      this.remove(one);
      hear(one, reason);
    }
    this.#controller?.abort(reason);
  }

  /** Runs `fn` on abort (at once when already aborted). Returns the function that removes it again. */
  onAbort(fn: (reason: Failure) => void): () => void {
    const one = new Callback(fn);
    this.add(one);
    return () => this.remove(one);
  }

  /** Tells `one` on abort (at once when already aborted). */
  add(one: ScopeListener): void {
    if (this.#reason) return hear(one, this.#reason);
    one.scope = this;
    one.previous = this.#last;
    one.next = undefined;
    if (this.#last) this.#last.next = one;
    else this.#first = one;
    this.#last = one;
    this.#count += 1;
  }

  /** Removes a listener; one that does not listen to this scope is left alone. */
  remove(one: ScopeListener): void {
    if (one.scope !== this) return;
    one.scope = undefined;
    if (one.previous) one.previous.next = one.next;
    else this.#first = one.next;
    if (one.next) one.next.previous = one.previous;
    else this.#last = one.previous;
    one.previous = one.next = undefined;
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
function hear(one: ScopeListener, reason: Failure): void {
  try {
    one.ended(reason);
  } catch {
    // The scope is over all the same.
  }
}

export function cancelled(message = 'The call was cancelled because its node is stopping.'): Failure {
  return new Failure('cancelled', 'CANCELLED', message);
}
