/** Which record may be leased next: lines in the order of their first records, each with one bearer at a time. */
import type { Attempt, Entry } from '../types';

export interface Held {
  readonly position: number;
  readonly entry: Entry;
  readonly line: Line;
  /** Running time at which it was put. */
  readonly putAt: number;
  delivery: number;
  history: readonly Attempt[];
  state: 'waiting' | 'leased' | 'delayed' | 'gone';
  /** Rises with each lease: tokens of earlier ones are worthless. */
  lease: number;
  /** When its lease or its delay ends. */
  until: number;
}
export interface Line {
  readonly key: string;
  /** In the order of their positions. */
  readonly waiting: Held[];
  /** Records that hold the line up: leased or delayed. */
  busy: number;
}

export class Lines {
  readonly #ordered: boolean;
  readonly #lines = new Map<string, Line>();
  /** A heap of records that were first of a free line when they were pushed. */
  readonly #first: Held[] = [];

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  /** The line of a key; a record without one has a line of its own unless all form one. */
  of(key: string): Line {
    if (key === '' && !this.#ordered) return { key, waiting: [], busy: 0 };
    let line = this.#lines.get(key);
    if (!line) this.#lines.set(key, (line = { key, waiting: [], busy: 0 }));
    return line;
  }

  add(held: Held): void {
    const { line } = held;
    let at = line.waiting.length;
    while (at > 0 && (line.waiting[at - 1] as Held).position > held.position) at -= 1;
    line.waiting.splice(at, 0, held);
    if (line.busy === 0 && at === 0) this.#push(held);
  }

  /** The oldest that may be leased; at most `perKey` of a line. */
  take(max: number, perKey: number): readonly Held[] {
    const taken: Held[] = [];
    const counts = new Map<Line, number>();
    while (taken.length < max) {
      const held = this.#pop();
      if (!held) break;
      const { line } = held;
      const count = counts.get(line) ?? 0;
      if (line.waiting[0] !== held || (line.busy > 0 && count === 0)) continue;
      line.waiting.shift();
      line.busy += 1;
      taken.push(held);
      counts.set(line, count + 1);
      const next = line.waiting[0];
      if (next && count + 1 < perKey) this.#push(next);
    }
    return taken;
  }

  /** A record no longer holds its line up. */
  free(line: Line): void {
    line.busy -= 1;
    if (line.busy > 0) return;
    const next = line.waiting[0];
    if (next) this.#push(next);
    else if (this.#lines.get(line.key) === line) this.#lines.delete(line.key);
  }

  /** Removes a waiting record. */
  remove(held: Held): void {
    const { line } = held;
    const at = line.waiting.indexOf(held);
    if (at < 0) return;
    line.waiting.splice(at, 1);
    if (at > 0 || line.busy > 0) return;
    line.busy = 1;
    this.free(line);
  }

  #push(held: Held): void {
    const heap = this.#first;
    let at = heap.push(held) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if ((heap[up] as Held).position <= held.position) break;
      heap[at] = heap[up] as Held;
      at = up;
    }
    heap[at] = held;
  }

  #pop(): Held | undefined {
    const heap = this.#first;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && (heap[down + 1] as Held).position < (heap[down] as Held).position)
        down += 1;
      if ((heap[down] as Held).position >= last.position) break;
      heap[at] = heap[down] as Held;
      at = down;
    }
    heap[at] = last;
    return top;
  }
}
