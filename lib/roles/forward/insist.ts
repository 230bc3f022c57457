/** Settles records also while the store is in trouble: one that stays leased would hold up its line for ever. */
import type { Clock, Timer } from '../../core';

const AGAIN_MS = 1000;

export class Insist {
  readonly #clock: Clock;
  readonly #broken: (error: unknown) => void;
  readonly #timers = new Set<Timer>();
  #over = false;

  constructor(clock: Clock, broken: (error: unknown) => void) {
    this.#clock = clock;
    this.#broken = broken;
  }

  /** Asks again until the store has answered. */
  until(act: () => Promise<unknown>): void {
    act().catch((error: unknown) => {
      this.#broken(error);
      if (this.#over) return;
      const timer = this.#clock.timer(AGAIN_MS, () => {
        this.#timers.delete(timer);
        this.until(act);
      });
      this.#timers.add(timer);
    });
  }

  /** The closing of the queue gives back what is still leased. */
  stop(): void {
    this.#over = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
