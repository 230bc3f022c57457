import { cancelled, Scope, type Clock } from '../core';

const GRACE_MS = 5000;
const SETTLE_MS = 1000;

/** Counts what is running in a node, and ends it in an orderly way. */
export class InFlight {
  readonly scope = new Scope();
  readonly #clock: Clock;
  #count = 0;
  #idle: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#idle?.();
  }

  /**
   * Lets running calls finish for a while when their peer answers, then cancels the rest. Returns how many were
   * cancelled. Stays well below Node-RED's 15 s limit.
   */
  async close(peerAnswers: boolean): Promise<number> {
    if (peerAnswers) await this.#settled(GRACE_MS);
    const left = this.#count;
    this.scope.abort(cancelled());
    await this.#settled(SETTLE_MS);
    return left;
  }

  #settled(ms: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.timer(ms, resolve);
      this.#idle = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
