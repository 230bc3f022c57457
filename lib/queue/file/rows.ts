/** The rows of one queue: every statement over its tables, and nothing that decides. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { asBuffer, Damaged } from './sqlite';
import { checksum, headLength, isSound, LONGEST_HEAD } from './frame';

export interface Row {
  readonly seq: number;
  readonly row: Buffer;
}
/** What earlier deliveries left behind. `history` is JSON, or empty. */
export interface Past {
  readonly delivery: number;
  readonly history: string;
}
/** A row without its body. */
export interface Summary {
  readonly seq: number;
  readonly at: number;
  readonly head: Buffer;
  /** Of the body. */
  readonly bytes: number;
}

type Statements = Record<keyof ReturnType<typeof texts>, StatementSync>;

function texts(id: number): Readonly<Record<string, string>> & { insert: string } {
  const summary = `seq, at, substr(body, 1, ${LONGEST_HEAD}) AS head, length(body) AS size`;
  return {
    insert: `INSERT INTO q${id}(seq, at, crc, body) VALUES(?, ?, ?, ?)`,
    insertKeyed: `INSERT INTO q${id}(seq, at, key, crc, body) VALUES(?, ?, ?, ?, ?)`,
    remove: `DELETE FROM q${id} WHERE seq BETWEEN ? AND ?`,
    forget: `DELETE FROM d${id} WHERE seq BETWEEN ? AND ?`,
    one: `SELECT seq, crc, body FROM q${id} WHERE seq = ?`,
    from: `SELECT seq, crc, body FROM q${id} WHERE seq >= ? ORDER BY seq`,
    ofKey: `SELECT seq, crc, body FROM q${id} WHERE key = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT 1`,
    ofNoKey: `SELECT seq, crc, body FROM q${id} WHERE key IS NULL AND seq >= ? AND seq < ? ORDER BY seq LIMIT 1`,
    pastKey: `SELECT seq FROM q${id} WHERE seq > ? AND key IS NOT ? ORDER BY seq LIMIT 1`,
    summaries: `SELECT ${summary} FROM q${id} WHERE seq >= ? ORDER BY seq`,
    oldest: `SELECT at FROM q${id} ORDER BY seq LIMIT 1`,
    past: `SELECT delivery, history FROM d${id} WHERE seq = ?`,
    anyPast: `SELECT 1 AS one FROM d${id} LIMIT 1`,
    setPast: `INSERT INTO d${id}(seq, delivery, history) VALUES(?, ?, ?)
      ON CONFLICT DO UPDATE SET delivery = excluded.delivery, history = excluded.history`,
    addDelivery: `INSERT INTO d${id}(seq, delivery, history) SELECT seq, 1, '' FROM q${id} WHERE seq BETWEEN ? AND ?
      ON CONFLICT DO UPDATE SET delivery = delivery + 1`,
    seen: `SELECT at FROM s${id} WHERE id = ?`,
    see: `INSERT INTO s${id}(id, at) VALUES(?, ?) ON CONFLICT DO UPDATE SET at = excluded.at`,
    unsee: `DELETE FROM s${id} WHERE id IN (SELECT id FROM s${id} WHERE at <= ? ORDER BY at LIMIT ?)`,
    countKeyed: `SELECT count(*) AS n FROM q${id} WHERE key IS NOT NULL AND seq BETWEEN ? AND ?`,
  };
}

export class Rows {
  readonly #db: DatabaseSync;
  readonly #id: number;
  readonly #ready: Partial<Statements> = {};
  readonly #texts: ReturnType<typeof texts>;
  /** False: no row of this queue has a past. */
  #anyPast: boolean | undefined;
  /** Rows that were read, so that a test can bound the work. */
  visited = 0;

  constructor(db: DatabaseSync, id: number) {
    this.#db = db;
    this.#id = id;
    this.#texts = texts(id);
  }

  insert(seq: number, at: number, key: string, row: Buffer): void {
    if (key === '') this.#use('insert').run(seq, at, checksum(seq, row), row);
    else this.#use('insertKeyed').run(seq, at, key, checksum(seq, row), row);
  }

  /** Removes the rows from `first` to `last`, and their pasts. */
  remove(first: number, last: number): number {
    if (this.#hasPast()) this.#use('forget').run(first, last);
    return Number(this.#use('remove').run(first, last).changes);
  }

  /** Removes all rows at once, without visiting them. */
  clear(): void {
    this.#db.exec(`DELETE FROM q${this.#id}; DELETE FROM d${this.#id}`);
  }

  one(seq: number): Row | undefined {
    return this.#row(this.#use('one').get(seq));
  }

  *from(seq: number): Generator<Row> {
    for (const found of this.#use('from').iterate(seq)) {
      const row = this.#row(found);
      if (row) yield row;
    }
  }

  /** The first row of this key ("": of none) from `from` on, before `before`. */
  ofKey(key: string, from: number, before: number): Row | undefined {
    const found =
      key === '' ? this.#use('ofNoKey').get(from, before) : this.#use('ofKey').get(key, from, before);
    return this.#row(found);
  }

  /** The position of the next row that has another key, skipped over inside SQLite. */
  pastKey(seq: number, key: string): number | undefined {
    const found = this.#use('pastKey').get(seq, key === '' ? null : key);
    return found && Number(found['seq']);
  }

  *summaries(from: number): Generator<Summary> {
    for (const found of this.#use('summaries').iterate(from)) {
      this.visited += 1;
      const head = asBuffer(found['head']);
      const seq = Number(found['seq']);
      if (!isSound(head))
        throw new Damaged(`position ${seq} of queue ${this.#id} does not begin as a record does`);
      yield { seq, at: Number(found['at']), head, bytes: Number(found['size']) - headLength(head) };
    }
  }

  oldestAt(): number | undefined {
    const found = this.#use('oldest').get();
    return found && Number(found['at']);
  }

  past(seq: number): Past | undefined {
    if (!this.#hasPast()) return undefined;
    const found = this.#use('past').get(seq);
    return found && { delivery: Number(found['delivery']), history: String(found['history'] ?? '') };
  }
  setPast(seq: number, past: Past): void {
    this.#anyPast = true;
    this.#use('setPast').run(seq, past.delivery, past.history);
  }
  /** Counts one more delivery for the rows of this range that are still there. */
  addDelivery(first: number, last: number): number {
    this.#anyPast = true;
    return Number(this.#use('addDelivery').run(first, last).changes);
  }

  /** When this id was put last. */
  seenAt(id: string): number | undefined {
    const found = this.#use('seen').get(id);
    return found && Number(found['at']);
  }
  see(id: string, at: number): void {
    this.#use('see').run(id, at);
  }
  /** Forgets ids put until `until`, at most `most` of them. */
  unsee(until: number, most: number): void {
    this.#use('unsee').run(until, most);
  }

  countKeyed(first: number, last: number): number {
    return Number(this.#use('countKeyed').get(first, last)?.['n'] ?? 0);
  }

  /** A rollback may have taken the last past away, or brought it back. */
  forgetPasts(): void {
    this.#anyPast = undefined;
  }

  #row(found: Record<string, unknown> | undefined): Row | undefined {
    if (!found) return undefined;
    this.visited += 1;
    const row = asBuffer(found['body']);
    const seq = Number(found['seq']);
    if (checksum(seq, row) !== found['crc'] || !isSound(row)) {
      throw new Damaged(`the record at position ${seq} of queue ${this.#id} is not what was written`);
    }
    return { seq, row };
  }

  #hasPast(): boolean {
    return (this.#anyPast ??= this.#use('anyPast').get() !== undefined);
  }

  #use(name: string): StatementSync {
    return (this.#ready[name] ??= this.#db.prepare(this.#texts[name] ?? ''));
  }
}
