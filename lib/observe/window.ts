const SECONDS = 60;

/** Calls of the last minute in 60 slots of one second. Fixed memory; time is monotonic. */
export class MinuteWindow {
  readonly #calls = new Uint32Array(SECONDS);
  readonly #errors = new Uint32Array(SECONDS);
  readonly #faults = new Uint32Array(SECONDS);
  readonly #latency = new Float64Array(SECONDS);
  #second = -1;
  calls = 0;
  /** Failed calls. */
  errors = 0;
  /** Failed calls that speak against the peer's health. */
  faults = 0;
  #latencySum = 0;

  success(mono: number, ms: number): void {
    const slot = this.#slot(mono);
    const latency = ms > 0 && ms < Infinity ? ms : 0;
    this.#calls[slot] = (this.#calls[slot] as number) + 1;
    this.#latency[slot] = (this.#latency[slot] as number) + latency;
    this.calls += 1;
    this.#latencySum += latency;
  }

  failure(mono: number, isFault: boolean): void {
    const slot = this.#slot(mono);
    this.#calls[slot] = (this.#calls[slot] as number) + 1;
    this.#errors[slot] = (this.#errors[slot] as number) + 1;
    this.calls += 1;
    this.errors += 1;
    if (!isFault) return;
    this.#faults[slot] = (this.#faults[slot] as number) + 1;
    this.faults += 1;
  }

  /** Forgets what is older than a minute. */
  advance(mono: number): void {
    this.#slot(mono);
  }

  /** Mean of the successful calls in milliseconds; null without any. */
  get latencyMs(): number | null {
    const successes = this.calls - this.errors;
    return successes > 0 ? Math.max(0, this.#latencySum) / successes : null;
  }

  #slot(mono: number): number {
    const second = Math.floor(mono / 1000);
    if (second > this.#second) {
      const first = Math.max(this.#second + 1, second - SECONDS + 1);
      for (let s = first; s <= second; s += 1) this.#clear(s % SECONDS);
      this.#second = second;
    }
    return this.#second % SECONDS;
  }

  #clear(slot: number): void {
    this.calls -= this.#calls[slot] as number;
    this.errors -= this.#errors[slot] as number;
    this.faults -= this.#faults[slot] as number;
    this.#latencySum -= this.#latency[slot] as number;
    this.#calls[slot] = this.#errors[slot] = this.#faults[slot] = this.#latency[slot] = 0;
    // Adding and subtracting fractions leaves a rest; an empty window starts clean.
    if (this.calls === 0) this.#latencySum = 0;
  }
}
