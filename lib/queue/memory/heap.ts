/** A binary heap: the smallest key first. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #key: (item: T) => number;

  constructor(key: (item: T) => number) {
    this.#key = key;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (this.#keyAt(up) <= this.#key(item)) break;
      items[at] = items[up] as T;
      at = up;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length > 0) this.#sink(last as T);
    return first;
  }

  #sink(item: T): void {
    const items = this.#items;
    for (let at = 0; ;) {
      let down = 2 * at + 1;
      if (down + 1 < items.length && this.#keyAt(down + 1) < this.#keyAt(down)) down += 1;
      if (down >= items.length || this.#keyAt(down) >= this.#key(item)) {
        items[at] = item;
        return;
      }
      items[at] = items[down] as T;
      at = down;
    }
  }

  #keyAt(at: number): number {
    return this.#key(this.#items[at] as T);
  }
}
