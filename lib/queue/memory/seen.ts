interface Mark {
  readonly key: string;
  readonly at: number;
}

/** Keys that were seen within a window of running time; the oldest make room. Constant time an operation. */
export class Seen {
  readonly #marks = new Map<string, Mark>();
  /** In the order of their times; forgotten ones stay until they come to the front. */
  #order: Mark[] = [];
  #first = 0;
  windowMs: number;
  maxKeys: number;

  constructor(windowMs: number, maxKeys = Infinity) {
    this.windowMs = windowMs;
    this.maxKeys = maxKeys;
  }

  has(key: string, now: number): boolean {
    const mark = this.#marks.get(key);
    return mark !== undefined && now - mark.at < this.windowMs;
  }

  add(key: string, now: number): void {
    const mark = { key, at: now };
    this.#marks.set(key, mark);
    this.#order.push(mark);
    this.#trim(now);
  }

  forget(key: string): void {
    this.#marks.delete(key);
  }

  clear(): void {
    this.#marks.clear();
    this.#order = [];
    this.#first = 0;
  }

  size(now: number): number {
    this.#trim(now);
    return this.#marks.size;
  }

  #trim(now: number): void {
    for (let mark = this.#order[this.#first]; mark; mark = this.#order[this.#first]) {
      const isLive = this.#marks.get(mark.key) === mark;
      if (isLive && now - mark.at < this.windowMs && this.#marks.size <= this.maxKeys) break;
      if (isLive) this.#marks.delete(mark.key);
      this.#first += 1;
    }
    // Also when many keys in the middle were forgotten.
    if (this.#order.length > 2 * this.#marks.size + 1_000) {
      this.#order = this.#order.filter((mark) => this.#marks.get(mark.key) === mark);
      this.#first = 0;
    }
  }
}
