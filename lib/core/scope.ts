import { Failure } from './failure';

/**
 * A cancellation scope. Unlike AbortSignal it costs nothing until someone listens; the real signal is made
 * only when a library asks for one.
 */
export class Scope {
  #reason: Failure | undefined;
  #listeners: Set<(reason: Failure) => void> | undefined;
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
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners) for (const listener of listeners) listener(reason);
    this.#controller?.abort(reason);
  }

  /** Runs `fn` on abort (at once when already aborted). Returns the function that removes it again. */
  onAbort(fn: (reason: Failure) => void): () => void {
    if (this.#reason) {
      fn(this.#reason);
      return () => {};
    }
    (this.#listeners ??= new Set()).add(fn);
    return () => this.#listeners?.delete(fn);
  }

  /** How many listeners are waiting; for leak tests. */
  get listenerCount(): number {
    return this.#listeners?.size ?? 0;
  }

  throwIfAborted(): void {
    if (this.#reason) throw this.#reason;
  }
}

export function cancelled(message = 'The call was cancelled because its node is stopping.'): Failure {
  return new Failure('cancelled', 'CANCELLED', message);
}
