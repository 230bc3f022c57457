import { Scope, type Call, type Failure, type Timer } from '../core';

/**
 * One attempt, as the called function sees it. Its scope is made when someone asks for it: the success path of a
 * call that needs none stays free of it.
 */
export class Attempt implements Call {
  readonly attempt: number;
  readonly key: string;
  /** Monotonic start. */
  readonly startedAt: number;
  /** The breaker's permit. */
  readonly permit: number;
  /**
   * Whether the request may have reached the peer. A caller that still prepares (opens a session) sets it to false
   * and back to true before it sends; a timeout in between is then certain not to have acted.
   */
  reached = true;
  timer: Timer | undefined;
  /** Settled, timed out or aborted: whatever comes later is nobody's business. */
  over = false;
  #scope: Scope | undefined;
  #reason: Failure | undefined;

  constructor(attempt: number, key: string, startedAt: number, permit: number) {
    this.attempt = attempt;
    this.key = key;
    this.startedAt = startedAt;
    this.permit = permit;
  }

  get scope(): Scope {
    if (!this.#scope) {
      this.#scope = new Scope();
      if (this.#reason) this.#scope.abort(this.#reason);
    }
    return this.#scope;
  }

  /** No result counts any more. */
  end(): void {
    this.over = true;
    this.timer?.cancel();
    this.timer = undefined;
  }

  /** Ends the attempt and tells the called function. */
  abort(reason: Failure): void {
    this.end();
    this.#reason = reason;
    this.#scope?.abort(reason);
  }
}
