/** Which of a million numbered records came, how often, and whether those of one key came in order. */
export class OrderLedger {
  readonly #came: Uint8Array;
  readonly #latest = new Map<string, number>();
  #again = 0;
  #disordered = 0;

  constructor(readonly records: number) {
    this.#came = new Uint8Array(records);
  }

  /** Without a key all records form one line. */
  saw(n: number, key: string): void {
    if (this.#came[n] === 1) this.#again += 1;
    else if (n < (this.#latest.get(key) ?? -1)) this.#disordered += 1;
    else this.#latest.set(key, n);
    this.#came[n] = 1;
  }

  /** Acknowledgements of which the store said that their lease was lost. */
  worthless(count: number): void {
    this.#again += count;
  }

  get again(): number {
    return this.#again;
  }

  get disordered(): number {
    return this.#disordered;
  }

  get lost(): number {
    return this.records - this.#came.reduce((sum, one) => sum + one, 0);
  }
}
