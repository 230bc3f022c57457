import type { Clock, Timer } from '../core';
import { Waiters } from './waiters';

/** Stops a whole connection for a while, because its peer asked for it. */
export class Pause {
  readonly #clock: Clock;
  readonly #capMs: number;
  readonly #waiters = new Waiters();
  #timer: Timer | undefined;
  /** Monotonic time at which calls may go again. Read on the success path: a plain field. */
  until = -Infinity;

  /** No single pause is longer than `capMs`. */
  constructor(clock: Clock, capMs: number) {
    this.#clock = clock;
    this.#capMs = capMs;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Pauses from now; a shorter pause never ends a longer one. Returns the milliseconds after the cap. */
  pause(ms: number): number {
    const length = Math.min(Math.max(0, ms), this.#capMs);
    this.until = Math.max(this.until, this.#clock.mono() + length);
    return length;
  }

  /** Waits for the end of the pause. Returns the cancelling function. */
  wait(go: () => void): () => void {
    const cancel = this.#waiters.add(go);
    if (!this.#timer) this.#arm();
    return () => {
      cancel();
      if (this.#waiters.size === 0) this.#disarm();
    };
  }

  #arm(): void {
    this.#timer = this.#clock.timer(Math.max(0, this.until - this.#clock.mono()), () => this.#over());
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #over(): void {
    this.#timer = undefined;
    if (this.until > this.#clock.mono()) return this.#arm(); // the pause grew meanwhile
    while (this.#waiters.grant());
  }
}
