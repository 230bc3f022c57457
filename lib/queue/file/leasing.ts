/** Which records a lease gets: the oldest that may go, read once each. */
import type { LeaseAnswer, Operations } from './protocol';
import { FACTS } from './protocol';
import { headLength } from './frame';
import type { Past, Row } from './rows';
import type { Shelf } from './shelf';

/** Most bytes of one lease, so that many large bodies do not fill the memory; one record always goes. */
const MOST_BYTES = 16 * 1024 * 1024;
/** After so many records of one waiting line in a row, the rest of them is skipped inside SQLite. */
const PATIENCE = 64;

type Ask = Operations['lease'][0];
/** What happens to a record that was delivered too often. */
export type Exhausted = (found: Row, line: string | undefined, past: Past) => void;

/** What this lease has of a line, and the first record of it that an earlier lease holds. */
interface Share {
  own: number;
  readonly foreign: number;
}

interface Taken {
  readonly found: Row;
  readonly delivery: number;
  readonly history: string;
}

export class Leasing {
  readonly #shelf: Shelf;
  readonly #ask: Ask;
  readonly #now: number;
  readonly #exhausted: Exhausted;
  readonly #no: number;
  readonly #taken: Taken[] = [];
  readonly #lines = new Map<string, Share>();
  #bytes = 0;

  constructor(shelf: Shelf, ask: Ask, now: number, exhausted: Exhausted) {
    this.#shelf = shelf;
    this.#ask = ask;
    this.#now = now;
    this.#exhausted = exhausted;
    this.#no = shelf.lastLease += 1;
  }

  run(): LeaseAnswer | null {
    this.#shelf.settle();
    while (!this.#isFull()) if (!this.#fromReady()) break;
    if (!this.#isFull()) this.#fromCursor();
    if (this.#taken.length === 0) return null;
    this.#shelf.touch();
    return pack(this.#taken, this.#no);
  }

  #isFull(): boolean {
    return this.#taken.length >= this.#ask.max || this.#bytes >= MOST_BYTES;
  }

  /** Takes or parks one candidate before the cursor; false when there is none. */
  #fromReady(): boolean {
    const { lines, rows, cursor } = this.#shelf;
    const candidate = lines.ready.pop();
    if (!candidate) return false;
    const { seq, line, orLater } = candidate;
    if (!orLater) {
      if (lines.get(seq)) return true;
      if (line !== undefined && this.#mustWait(line, seq)) lines.park(line, seq, false);
      else this.#takeIfThere(rows.one(seq), line);
      return true;
    }
    if (line === undefined) return true;
    if (this.#mustWait(line, seq)) {
      lines.park(line, seq, true);
      return true;
    }
    const found = rows.ofKey(line, seq, cursor);
    if (!found) return true;
    // Older candidates of other lines go first.
    const older = lines.ready.peek();
    if (lines.get(found.seq)) lines.ready.push({ seq: found.seq + 1, line, orLater: true });
    else if (older && older.seq < found.seq) lines.ready.push({ seq: found.seq, line, orLater: true });
    else {
      this.#takeIfThere(found, line);
      lines.ready.push({ seq: found.seq + 1, line, orLater: true });
    }
    return true;
  }

  #takeIfThere(found: Row | undefined, line: string | undefined): void {
    if (found) this.#take(found, line);
  }

  /** This lease has its share of the line, or an earlier lease holds an earlier record of it. */
  #mustWait(line: string, seq: number): boolean {
    const { own, foreign } = this.#share(line);
    return own >= this.#ask.perKey || foreign < seq;
  }

  #share(line: string): Share {
    let share = this.#lines.get(line);
    if (!share) this.#lines.set(line, (share = { own: 0, foreign: this.#shelf.lines.earliest(line) }));
    return share;
  }

  #fromCursor(): void {
    const shelf = this.#shelf;
    while (!this.#isFull() && shelf.cursor < shelf.counters.next) {
      if (shelf.tail.covers(shelf.cursor) ? !this.#fromTail() : !this.#fromDisk()) return;
    }
  }

  /** Goes on in memory; false when there is nothing more to find. */
  #fromTail(): boolean {
    const shelf = this.#shelf;
    let more = true;
    while (more && !this.#isFull()) {
      const found = shelf.tail.from(shelf.cursor);
      more = found !== undefined && this.#pass(found);
    }
    shelf.tail.dropBefore(shelf.cursor);
    return more;
  }

  /** Reads on from the cursor; false when there is nothing more to find. */
  #fromDisk(): boolean {
    const shelf = this.#shelf;
    let waiting: string | undefined;
    let inARow = 0;
    for (const found of shelf.rows.from(shelf.cursor)) {
      const line = shelf.lineOf(found.row);
      const before = this.#taken.length;
      if (!this.#pass(found)) return false;
      if (this.#isFull()) return true;
      inARow = this.#taken.length === before && line !== undefined && line === waiting ? inARow + 1 : 0;
      waiting = line;
      if (inARow >= PATIENCE && line !== undefined) {
        shelf.cursor = shelf.rows.pastKey(found.seq, line) ?? shelf.counters.next;
        return true;
      }
    }
    shelf.cursor = shelf.counters.next;
    return true;
  }

  /** Takes or parks the record at the cursor; false: it waits, and so does everything behind it. */
  #pass(found: Row): boolean {
    const shelf = this.#shelf;
    const line = shelf.lineOf(found.row);
    if (!shelf.lines.get(found.seq)) {
      if (line !== undefined && this.#mustWait(line, found.seq)) {
        // One line is the whole queue: no need to read on.
        if (line === '' && shelf.counters.keyed === 0) return false;
        shelf.lines.park(line, found.seq, true);
      } else this.#take(found, line);
    }
    shelf.cursor = found.seq + 1;
    return true;
  }

  #take(found: Row, line: string | undefined): void {
    const { lines, rows, options } = this.#shelf;
    const past = rows.past(found.seq);
    const delivery = (past?.delivery ?? 0) + 1;
    const most = options?.maxDeliveries ?? 0;
    if (past && most > 0 && delivery > most) {
      this.#exhausted(found, line, past);
      return;
    }
    const { handle, visibilityMs } = this.#ask;
    const bytes = found.row.length - headLength(found.row);
    const due = this.#now + visibilityMs;
    lines.hold({ seq: found.seq, no: this.#no, handle, line, bytes, delivery, due });
    if (line !== undefined) this.#share(line).own += 1;
    this.#taken.push({ found, delivery, history: past?.history ?? '' });
    this.#bytes += bytes;
  }
}

function pack(taken: readonly Taken[], no: number): LeaseAnswer {
  let size = 0;
  for (const { found } of taken) size += found.row.length;
  const data = Buffer.allocUnsafeSlow(size);
  const facts = new Float64Array(taken.length * FACTS);
  let histories: Record<number, string> | undefined;
  let at = 0;
  taken.forEach(({ found, delivery, history }, index) => {
    data.set(found.row, at);
    facts.set([found.seq, no, delivery, found.row.length], index * FACTS);
    if (history !== '') (histories ??= {})[index] = history;
    at += found.row.length;
  });
  return { data: data.buffer, facts, histories };
}
