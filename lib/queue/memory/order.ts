/**
 * Which record goes next. A line is all records of one key: while one of it is leased or delayed, later ones wait.
 * Candidates stand in one heap: records of no line, and the first waiting record of each line that may go on. Those
 * that have become worthless are recognised when they come to the front.
 */
import { Heap } from './heap';
import type { Held } from './record';

interface Line {
  readonly waiting: Heap<Held>;
  /** Leased and delayed: a few. */
  readonly out: Set<Held>;
}

export class Order {
  readonly #ready = new Heap<Held>((record) => record.seq);
  readonly #lines = new Map<string, Line>();
  readonly #isOrdered: boolean;

  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  /** A record waits, for the first time or again. */
  wait(record: Held): void {
    const line = this.#lineOf(record);
    if (!line) this.#ready.push(record);
    else {
      line.out.delete(record);
      line.waiting.push(record);
      if (firstOf(line) === record) this.#ready.push(record);
    }
  }

  /** A record is leased or delayed: later ones of its line wait. */
  hold(record: Held): void {
    this.#lineOf(record)?.out.add(record);
  }

  /** A record ended: its line may go on. */
  end(record: Held): void {
    const line = this.#lineOf(record);
    if (line) {
      line.out.delete(record);
      this.#promote(record.key, line);
    }
    this.#sweep();
  }

  /** The oldest records that may go, `perKey` of a line; `take` makes each of them leased by `lease`, or ends it. */
  pick(max: number, perKey: number, lease: number, take: (record: Held) => boolean): void {
    for (let count = 0; count < max;) {
      const record = this.#ready.pop();
      if (!record) return;
      const line = this.#lineOf(record);
      if (record.state !== 'waiting' || (line && !mayGo(line, record, perKey, lease))) continue;
      line?.waiting.pop();
      if (take(record)) count += 1;
      if (line) this.#promote(record.key, line);
    }
  }

  /** The first of a line becomes a candidate; `pick` decides whether it may go. */
  #promote(key: string, line: Line): void {
    const first = firstOf(line);
    if (first) this.#ready.push(first);
    else if (line.out.size === 0) this.#lines.delete(key);
  }

  /** Ended records must not pile up where nobody leases. */
  #sweep(): void {
    while (this.#ready.peek()?.state === 'gone') this.#ready.pop();
  }

  #lineOf(record: Held): Line | undefined {
    if (record.key === '' && !this.#isOrdered) return undefined;
    let line = this.#lines.get(record.key);
    if (!line) {
      line = { waiting: new Heap((one: Held) => one.seq), out: new Set() };
      this.#lines.set(record.key, line);
    }
    return line;
  }
}

function firstOf(line: Line): Held | undefined {
  while (line.waiting.peek()?.state === 'gone') line.waiting.pop();
  return line.waiting.peek();
}

/** It is the first of its line, within this lease's share, and no earlier one is out by an earlier lease. */
function mayGo(line: Line, record: Held, perKey: number, lease: number): boolean {
  if (firstOf(line) !== record) return false;
  let own = 0;
  for (const other of line.out) {
    if (other.state === 'leased' && other.lease === lease) own += 1;
    else if (other.seq < record.seq) return false;
  }
  return own < perKey;
}
