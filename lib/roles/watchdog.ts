import type { Clock, Timer } from '../core';

/**
 * Calls `check` when nothing has succeeded for `everyMs`. One check at a time; a check that never ends is the
 * caller's to bound.
 */
export class Watchdog {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #check: () => Promise<void>;
  #timer: Timer | undefined;
  #last = 0;
  #running = false;

  constructor(clock: Clock, everyMs: number, check: () => Promise<void>) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#check = check;
  }

  start(): void {
    this.stop();
    this.alive();
    this.#arm(this.#everyMs);
  }

  /** The peer gave a sign of life; `now` is the clock's `mono()` where the caller has just read it. */
  alive(now: number = this.#clock.mono()): void {
    this.#last = now;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.timer(ms, () => this.#due());
  }

  #due(): void {
    const silent = this.#clock.mono() - this.#last;
    if (silent < this.#everyMs || this.#running) {
      this.#arm(this.#running ? this.#everyMs : this.#everyMs - silent);
      return;
    }
    this.#running = true;
    this.#arm(this.#everyMs);
    const end = (): void => {
      this.#running = false;
    };
    this.#check().then(end, end);
  }
}
