/**
 * How many requests may be under way to one unit. Starts at 1, grows while more at once makes a request
 * cheaper, falls back when it does not (a device with Nagle's algorithm answers ten pipelined reads slower
 * than ten sequential ones), and halves on timeouts and "busy".
 */

/** Best of this many bursts counts, so that one pause of this process decides nothing. */
const TRIAL = 2;
/** A larger window must make a request at least this much cheaper. */
const GAIN = 0.95;
/** A smaller window may cost this much more before the larger one is kept. */
const TOLERANCE = 1.03;
const FIRST_HOLD = 8;
const LONGEST_HOLD = 256;

export class AdaptiveWindow {
  readonly #max: number;
  #settled = 1;
  #size = 1;
  #reference = Infinity;
  #best = Infinity;
  #samples = 0;
  #hold = 0;
  #nextHold = FIRST_HOLD;
  /** Doubles at first, as TCP does, then grows by one. */
  #doubling = true;
  /** Whether the next trial is a smaller window: one that costs no more is kinder to the device. */
  #down = false;

  constructor(max: number) {
    this.#max = Math.max(1, max);
  }

  get size(): number {
    return this.#size;
  }

  /**
   * A burst of requests ended. `cost` is its time by number of requests, `peak` the most that were under way;
   * `limited` says whether more were waiting than the window let through.
   */
  burst(cost: number, peak: number, limited: boolean): void {
    if (this.#size === this.#settled) this.#steady(cost, peak, limited);
    else if (peak > this.#settled || (this.#size < this.#settled && limited)) this.#trial(cost);
  }

  #steady(cost: number, peak: number, limited: boolean): void {
    if (peak < this.#settled || !limited) return;
    this.#best = Math.min(this.#best, cost);
    this.#samples += 1;
    if (this.#samples < TRIAL) return;
    this.#reference = this.#best;
    this.#restart();
    if (this.#hold > 0) {
      this.#hold -= TRIAL;
      return;
    }
    const top = this.#settled === this.#max;
    if (top) this.#doubling = false;
    const smaller = this.#settled > 1 && (top || this.#down);
    this.#down = !smaller && !this.#doubling;
    if (smaller) this.#size = Math.ceil(this.#settled / 2);
    else this.#size = Math.min(this.#max, this.#doubling ? this.#settled * 2 : this.#settled + 1);
  }

  #trial(cost: number): void {
    this.#best = Math.min(this.#best, cost);
    this.#samples += 1;
    if (this.#samples < TRIAL) return;
    const best = this.#best;
    this.#restart();
    const smaller = this.#size < this.#settled;
    if (best < this.#reference * (smaller ? TOLERANCE : GAIN)) {
      this.#settled = this.#size;
      this.#reference = best;
      this.#nextHold = FIRST_HOLD;
      if (this.#settled === this.#max) this.#hold = FIRST_HOLD;
      return;
    }
    this.#size = this.#settled;
    this.#doubling = false;
    this.#hold = this.#nextHold;
    this.#nextHold = Math.min(LONGEST_HOLD, this.#nextHold * 2);
  }

  /** A timeout or "busy": half as many from now on, and no growth for a while. */
  shrink(): void {
    this.#settled = Math.max(1, Math.floor(this.#size / 2));
    this.#size = this.#settled;
    this.#doubling = false;
    this.#reference = Infinity;
    this.#hold = this.#nextHold;
    this.#nextHold = Math.min(LONGEST_HOLD, this.#nextHold * 2);
    this.#restart();
  }

  #restart(): void {
    this.#best = Infinity;
    this.#samples = 0;
  }
}
