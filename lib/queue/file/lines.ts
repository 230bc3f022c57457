/**
 * Which records of a queue are out, and whom they keep waiting. A line is all records of one key; while a record
 * of it is leased or delayed, later ones of the line wait. Knows positions only, no SQL; what it holds grows with
 * what consumers hold, never with the backlog.
 */
import { Heap } from './heap';

/** A record that is leased, or delayed after a failed delivery. Replaced, never changed. */
export interface Held {
  readonly seq: number;
  /** Number of the lease; 0 when delayed. */
  readonly no: number;
  readonly handle: number;
  /** Undefined: it keeps nobody waiting. */
  readonly line: string | undefined;
  readonly bytes: number;
  readonly delivery: number;
  /** Running time at which the lease or the delay ends. */
  readonly due: number;
}

/** What may be leased before the cursor: a record that came back, or the first waiting record of a line. */
export interface Candidate {
  readonly seq: number;
  readonly line: string | undefined;
  /** True: the record is this one or a later one of its line. */
  readonly orLater: boolean;
}

interface Line {
  readonly held: Set<number>;
  /** Records that came back while an earlier one was held. */
  returned: number[];
  /** The cursor passed records of this line from here on; 0 when it did not. */
  from: number;
}

export class Lines {
  readonly #held = new Map<number, Held>();
  readonly #lines = new Map<string, Line>();
  readonly #ready = new Heap<Candidate>();
  #journal: [seq: number, before: Held | undefined][] = [];
  #leased = 0;
  #due = Infinity;

  get leased(): number {
    return this.#leased;
  }
  get delayed(): number {
    return this.#held.size - this.#leased;
  }
  /** No earlier than this something falls due. */
  get due(): number {
    return this.#due;
  }
  /** Candidates before the cursor; sooner or later all of them. */
  get ready(): Heap<Candidate> {
    return this.#ready;
  }

  get(seq: number): Held | undefined {
    return this.#held.get(seq);
  }
  all(): Iterable<Held> {
    return this.#held.values();
  }

  /** Leases or delays a record. */
  hold(held: Held): void {
    this.#set(held.seq, held);
    if (held.due < this.#due) this.#due = held.due;
    if (held.line !== undefined) this.#line(held.line).held.add(held.seq);
  }

  /** Ends a hold; the record is gone. Returns whether others of its line may go now. */
  end(held: Held): boolean {
    this.#set(held.seq, undefined);
    return held.line !== undefined && this.#unblock(held.line, held.seq);
  }

  /** Ends a hold; the record waits again at its place. */
  giveBack(held: Held): void {
    this.#set(held.seq, undefined);
    this.#ready.push({ seq: held.seq, line: held.line, orLater: false });
    if (held.line !== undefined) this.#unblock(held.line, held.seq);
  }

  /** The first record of a line that is held; Infinity when none is. */
  earliest(line: string): number {
    return first(this.#lines.get(line)?.held);
  }

  /** Keeps a candidate until its line moves. */
  park(line: string, seq: number, orLater: boolean): void {
    const parked = this.#line(line);
    if (!orLater) parked.returned.push(seq);
    else if (parked.from === 0 || seq < parked.from) parked.from = seq;
  }

  /** The holds that are due by `now`. */
  takeDue(now: number): Held[] {
    if (now < this.#due) return [];
    const due: Held[] = [];
    let next = Infinity;
    for (const held of this.#held.values()) {
      if (held.due <= now) due.push(held);
      else if (held.due < next) next = held.due;
    }
    this.#due = next;
    return due;
  }

  /** Records without a key form a line from now on, or no more. */
  order(ordered: boolean): void {
    for (const held of this.#held.values()) {
      if (held.line === undefined || held.line === '')
        this.#held.set(held.seq, { ...held, line: ordered ? '' : undefined });
    }
    this.rewind();
  }

  /** Forgets what is parked and ready: the cursor begins anew and finds it all. Holds stay. */
  rewind(): void {
    this.#ready.clear();
    this.#lines.clear();
    this.#leased = 0;
    this.#due = Infinity;
    for (const held of this.#held.values()) {
      if (held.no > 0) this.#leased += 1;
      if (held.due < this.#due) this.#due = held.due;
      if (held.line !== undefined) this.#line(held.line).held.add(held.seq);
    }
  }

  /** The changes until now are on disk. Returns whether there were any. */
  keep(): boolean {
    const changed = this.#journal.length > 0;
    if (changed) this.#journal = [];
    return changed;
  }

  /** Undoes the holds since `keep`; what the cursor passed is forgotten. */
  undo(): void {
    for (const [seq, before] of this.#journal.reverse()) {
      if (before) this.#held.set(seq, before);
      else this.#held.delete(seq);
    }
    this.#journal = [];
    this.rewind();
  }

  #set(seq: number, held: Held | undefined): void {
    const before = this.#held.get(seq);
    this.#journal.push([seq, before]);
    if (before && before.no > 0) this.#leased -= 1;
    if (!held) {
      this.#held.delete(seq);
      return;
    }
    this.#held.set(seq, held);
    if (held.no > 0) this.#leased += 1;
  }

  #line(name: string): Line {
    let line = this.#lines.get(name);
    if (!line) this.#lines.set(name, (line = { held: new Set(), returned: [], from: 0 }));
    return line;
  }

  #unblock(name: string, seq: number): boolean {
    const line = this.#lines.get(name);
    if (!line) return false;
    line.held.delete(seq);
    const moved = line.returned.length > 0 || line.from > 0;
    if (line.returned.length > 0) this.#revive(name, line);
    if (line.held.size > 0) return moved;
    if (line.from > 0) this.#ready.push({ seq: line.from, line: name, orLater: true });
    this.#lines.delete(name);
    return moved;
  }

  #revive(name: string, line: Line): void {
    const earliest = first(line.held);
    const waiting = line.returned;
    line.returned = [];
    for (const seq of waiting) {
      if (seq < earliest) this.#ready.push({ seq, line: name, orLater: false });
      else line.returned.push(seq);
    }
  }
}

function first(held: ReadonlySet<number> | undefined): number {
  let least = Infinity;
  for (const seq of held ?? []) if (seq < least) least = seq;
  return least;
}
