/**
 * How many requests may be under way to one unit. Starts at 1, grows while more at once makes a request
 * cheaper, falls back when it does not (a device with Nagle's algorithm answers ten pipelined reads slower
 * than ten sequential ones), and halves on timeouts and "busy".
 */

/** Best of this many bursts counts, so that a pause of this process decides nothing. */
const TRIAL = 3;
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
  /** Only doubles until the first trial that does not pay, as TCP does. */
  #doubling = true;
  #turn = 0;

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
    this.#size = this.#nextTrial();
  }

  /**
   * Twice as many, one more, and half as many, in turn. One more alone would get stuck: ten reads take two round
   * trips with any window from five to nine. Half as many is kinder to a device that gains nothing by more.
   */
  #nextTrial(): number {
    this.#turn = this.#doubling ? 0 : (this.#turn + 1) % 3;
    const settled = this.#settled;
    if (settled === this.#max || this.#turn === 2) return Math.ceil(settled / 2);
    return Math.min(this.#max, this.#turn === 0 ? settled * 2 : settled + 1);
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
