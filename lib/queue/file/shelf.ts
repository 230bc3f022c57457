/** One queue in the thread that owns the file: its rows, its holds, its counters, and where leasing goes on. */
import type { DatabaseSync } from 'node:sqlite';
import type { Attempt, QueueOptions } from '../types';
import { type Counters, loadQueue, saveQueue } from './counters';
import { headLength, readKey } from './frame';
import { type Held, Lines } from './lines';
import { packPositions, toRanges, unpackRanges } from './ranges';
import { Rows } from './rows';
import { Damaged } from './sqlite';
import { type Budget, Tail } from './tail';

/** History that is kept of one record: the newest. */
const LONGEST_HISTORY = 20;

export class Shelf {
  readonly id: number;
  readonly name: string;
  readonly rows: Rows;
  readonly lines: Lines;
  readonly tail: Tail;
  /** What is told to the listeners after the commit. */
  readonly news = { ready: false, droppedFull: 0, droppedOld: 0, died: 0 };
  counters: Counters;
  options: QueueOptions | undefined;
  /** All records before it were leased, or are parked or ready in `lines`. */
  cursor = 1;
  /** No record before it may be dropped: it is gone or leased. */
  oldest = 1;
  /** Running time before which no record is old; raised as they are looked at. */
  oldDue = 0;
  lastLease = 0;
  readonly #db: DatabaseSync;
  #ended: number[] = [];
  #changed = false;

  /** `before`: the same queue in an earlier connection, whose leases go on. */
  constructor(db: DatabaseSync, id: number, name: string, budget: Budget, before?: Shelf) {
    this.#db = db;
    this.id = id;
    this.name = name;
    this.rows = new Rows(db, id);
    this.counters = this.#load();
    this.tail = new Tail(budget, this.counters.next);
    this.lines = before?.lines ?? new Lines();
    if (!before) return;
    this.lastLease = before.lastLease;
    this.options = before.options;
    this.rewind();
  }

  /** The process that had these leased died: they count as delivered once more. Only before anything is leased. */
  countInterrupted(): void {
    const ranges = unpackRanges(loadQueue(this.#db, this.id)?.leased ?? new Uint8Array());
    for (let i = 0; i < ranges.length; i += 2)
      this.rows.addDelivery(ranges[i] as number, ranges[i + 1] as number);
    if (ranges.length > 0) this.#changed = true;
  }

  /** Running time at which something of this queue falls due. */
  get due(): number {
    const old =
      this.options && this.options.maxAgeMs > 0 && this.counters.records > 0 ? this.oldDue : Infinity;
    return Math.min(this.lines.due, old);
  }

  /** The line of a record: undefined when it waits for nobody. */
  lineOf(row: Buffer): string | undefined {
    const key = readKey(row);
    return key === '' && this.options?.ordered !== true ? undefined : key;
  }

  touch(): void {
    this.#changed = true;
  }

  /** The lease that a token names, while it lasts. */
  leased(seq: number, no: number): Held | undefined {
    const held = this.lines.get(seq);
    return held && held.no === no && no > 0 ? held : undefined;
  }

  /** The record of this hold is gone for good. */
  end(held: Held): void {
    if (this.lines.end(held)) this.news.ready = true;
    this.remove(held.seq, held.bytes, held.line);
  }

  /** Takes a record out; its row is deleted together with its neighbours. */
  remove(seq: number, bytes: number, line: string | undefined): void {
    this.#ended.push(seq);
    this.counters.records -= 1;
    this.counters.bytes -= bytes;
    if (line !== undefined && line !== '') this.counters.keyed -= 1;
    this.#changed = true;
  }

  /** A delivery failed: it is counted, and the record waits again, at once or after a delay. */
  fail(held: Held, attempt: Attempt | undefined, due: number): void {
    const before = this.rows.past(held.seq);
    this.rows.setPast(held.seq, {
      delivery: held.delivery,
      history: attempt ? appendAttempt(before?.history ?? '', attempt) : (before?.history ?? ''),
    });
    if (due > 0) {
      this.lines.hold({ ...held, no: 0, due });
      this.#freed(held.seq);
    } else this.giveBack(held);
  }

  giveBack(held: Held): void {
    this.lines.giveBack(held);
    this.news.ready = true;
    this.#freed(held.seq);
  }

  /** No longer leased: it may be dropped, or be old. */
  #freed(seq: number): void {
    if (seq < this.oldest) this.oldest = seq;
    this.oldDue = 0;
    this.#changed = true;
  }

  /** Appends a record. */
  append(row: Buffer, attempts: string, at: number): void {
    const seq = this.counters.next;
    const key = readKey(row);
    this.rows.insert(seq, at, key, row);
    if (attempts === '') this.tail.add(seq, row);
    else {
      this.rows.setPast(seq, { delivery: 0, history: attempts });
      this.tail.clear(seq + 1);
    }
    this.counters.next = seq + 1;
    this.counters.records += 1;
    this.counters.bytes += row.length - headLength(row);
    this.counters.put += 1;
    if (key !== '') this.counters.keyed += 1;
    if (this.oldDue === Infinity) this.oldDue = at + (this.options?.maxAgeMs ?? 0);
    this.news.ready = true;
    this.#changed = true;
  }

  /** Deletes the rows of records that ended. Before anything reads rows that it did not lease. */
  settle(): void {
    if (this.#ended.length === 0) return;
    const ranges = toRanges(this.#ended);
    this.#ended = [];
    for (let i = 0; i < ranges.length; i += 2) this.rows.remove(ranges[i] as number, ranges[i + 1] as number);
  }

  /** Before the commit. */
  save(running: number): void {
    this.settle();
    if (!this.#changed) return;
    const leased: number[] = [];
    for (const held of this.lines.all()) if (held.no > 0) leased.push(held.seq);
    saveQueue(this.#db, this.id, this.counters, packPositions(leased), running);
  }

  /** After the commit. */
  keep(): void {
    this.lines.keep();
    this.#changed = false;
  }

  /** After a rollback: holds are as they were; the rest is read anew with `reload`. */
  undo(): void {
    this.#ended = [];
    this.#changed = false;
    this.lines.undo();
    Object.assign(this.news, { ready: false, droppedFull: 0, droppedOld: 0, died: 0 });
  }

  reload(): void {
    this.counters = this.#load();
    this.rows.forgetPasts();
    this.rewind();
  }

  /** After a repair: leases of records that could not be recovered end. */
  forgetLost(): void {
    for (const held of [...this.lines.all()]) if (!this.rows.one(held.seq)) this.lines.end(held);
    this.lines.keep();
    this.rewind();
  }

  /** Leasing begins at the front again. */
  rewind(): void {
    this.cursor = 1;
    this.oldest = 1;
    this.oldDue = 0;
    this.lines.rewind();
    this.tail.clear(this.counters.next);
  }

  #load(): Counters {
    const saved = loadQueue(this.#db, this.id);
    if (!saved) throw new Damaged(`the row of queue ${this.id} is missing`);
    return saved.counters;
  }
}

export function appendAttempt(history: string, attempt: Attempt): string {
  return JSON.stringify([...parseHistory(history), attempt].slice(-LONGEST_HISTORY));
}

export function parseHistory(history: string): readonly Attempt[] {
  if (history === '') return [];
  try {
    const list: unknown = JSON.parse(history);
    return Array.isArray(list) ? (list as readonly Attempt[]) : [];
  } catch {
    throw new Damaged('the attempts of a record are not what was written');
  }
}
