/** A binary heap: the smallest position first. */
export class Heap<T extends { readonly seq: number }> {
  readonly #items: T[] = [];

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
      const parent = items[up] as T;
      if (parent.seq <= item.seq) break;
      items[at] = parent;
      at = up;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0 && last) this.#sink(last);
    return first;
  }

  clear(): void {
    this.#items.length = 0;
  }

  #sink(item: T): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      const left = items[down];
      if (!left) break;
      const right = items[down + 1];
      if (right && right.seq < left.seq) down += 1;
      const child = items[down] as T;
      if (child.seq >= item.seq) break;
      items[at] = child;
      at = down;
    }
    items[at] = item;
  }
}
