/** The dead letters of the file: tables, limits, filters. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Attempt, DeadFilter, DeadLetter, DeadLetterDetail, DeadLimits, Source } from '../types';
import { headLength, readHead } from './frame';
import { readMeta, writeMeta } from './schema';
import { parseHistory } from './shelf';
import { asBuffer, Damaged } from './sqlite';

/** What holds until somebody sets other limits: a gateway's disk, not its memory. */
export const DEFAULT_LIMITS: DeadLimits = { maxRecords: 100_000, maxBytes: 256 * 1024 * 1024, maxAgeMs: 0 };

/** A record on its way to the dead letters. */
export interface Burial {
  readonly queue: string;
  readonly row: Buffer;
  readonly attempts: number;
  readonly history: readonly Attempt[];
  readonly last: Attempt;
  readonly owner: Source;
}
export interface Buried {
  readonly number: number;
  readonly queue: string;
  readonly row: Buffer;
  readonly history: string;
}

type Value = string | number;

export class Graveyard {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #records = 0;
  #bytes = 0;
  #dropped = 0;
  #limits = DEFAULT_LIMITS;
  #changed = false;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.load();
  }

  /** Also after a rollback. */
  load(): void {
    const sums = this.#use('SELECT count(*) AS n, total(bytes) AS bytes FROM dead').get();
    this.#records = Number(sums?.['n'] ?? 0);
    this.#bytes = Number(sums?.['bytes'] ?? 0);
    this.#dropped = Number(readMeta(this.#db, 'deadDropped') ?? 0);
    this.#limits = readLimits(readMeta(this.#db, 'deadLimits'));
    this.#changed = false;
  }

  add(burial: Burial, now: number): DeadLetter {
    const { queue, row, attempts, history, last, owner } = burial;
    const { id, key, time, length } = readHead(row);
    const { kind, code, message } = last;
    const source = last.source ?? owner;
    const bytes = row.length - length;
    const letter = { queue, id, key, time, bytes, attempts, kind, code, message, source };
    const facts = { ...letter, firstAt: history[0]?.at ?? last.at, lastAt: last.at };
    const { lastInsertRowid } = this.#use(
      'INSERT INTO dead(at, queue, node, kind, code, id, key, last, bytes, facts) VALUES(?,?,?,?,?,?,?,?,?,?)',
    ).run(now, queue, source.node, kind, code, id, key, last.at, bytes, JSON.stringify(facts));
    const number = Number(lastInsertRowid);
    this.#use('INSERT INTO dead_rows(number, history, body) VALUES(?, ?, ?)').run(
      number,
      JSON.stringify(history),
      row,
    );
    this.#records += 1;
    this.#bytes += bytes;
    this.#makeRoom();
    return { number, ...facts };
  }

  list(filter: DeadFilter, after: number, limit: number): DeadLetter[] {
    const [where, values] = conditions(filter);
    return this.#use(`SELECT number, facts FROM dead WHERE number > ? AND ${where} ORDER BY number LIMIT ?`)
      .all(after, ...values, limit)
      .map(toLetter);
  }

  get(number: number): DeadLetterDetail | null {
    const found = this.#use('SELECT number, facts FROM dead WHERE number = ?').get(number);
    const rest = found && this.#take(number);
    if (!found || !rest) return null;
    const body = new Uint8Array(rest.row.subarray(headLength(rest.row)));
    return { ...toLetter(found), body, history: parseHistory(rest.history) };
  }

  /** The letters that the filter names, one at a time and oldest first. */
  *each(filter: DeadFilter): Generator<Buried> {
    const [where, values] = conditions(filter);
    const numbers = this.#use(`SELECT number, queue FROM dead WHERE ${where} ORDER BY number`).all(...values);
    for (const found of numbers) {
      const number = Number(found['number']);
      const rest = this.#take(number);
      if (rest) yield { number, queue: String(found['queue']), ...rest };
    }
  }

  remove(number: number): void {
    const found = this.#use('SELECT bytes FROM dead WHERE number = ?').get(number);
    if (!found) return;
    this.#use('DELETE FROM dead WHERE number = ?').run(number);
    this.#use('DELETE FROM dead_rows WHERE number = ?').run(number);
    this.#records -= 1;
    this.#bytes -= Number(found['bytes']);
  }

  purge(filter: DeadFilter): number {
    const [where, values] = conditions(filter);
    this.#use(`DELETE FROM dead_rows WHERE number IN (SELECT number FROM dead WHERE ${where})`).run(
      ...values,
    );
    const { changes } = this.#use(`DELETE FROM dead WHERE ${where}`).run(...values);
    this.#sum();
    return Number(changes);
  }

  ofQueue(queue: string): number {
    return Number(this.#use('SELECT count(*) AS n FROM dead WHERE queue = ?').get(queue)?.['n'] ?? 0);
  }

  stats(): { records: number; bytes: number; dropped: number } {
    return { records: this.#records, bytes: this.#bytes, dropped: this.#dropped };
  }

  limit(limits: DeadLimits, now: number): void {
    const { maxRecords, maxBytes, maxAgeMs } = limits;
    this.#limits = { maxRecords, maxBytes, maxAgeMs };
    writeMeta(this.#db, 'deadLimits', JSON.stringify(this.#limits));
    this.#makeRoom();
    this.endOld(now);
  }

  /** Removes what is older than the limits allow. Returns when the next one will be. */
  endOld(now: number): number {
    if (this.#limits.maxAgeMs === 0 || this.#records === 0) return Infinity;
    const until = now - this.#limits.maxAgeMs;
    for (;;) {
      const oldest = this.#use('SELECT number, at FROM dead ORDER BY number LIMIT 1').get();
      if (!oldest) return Infinity;
      if (Number(oldest['at']) > until) return Number(oldest['at']) + this.#limits.maxAgeMs;
      this.#drop(Number(oldest['number']));
    }
  }

  save(): void {
    if (this.#changed) writeMeta(this.#db, 'deadDropped', this.#dropped);
    this.#changed = false;
  }

  #makeRoom(): void {
    const { maxRecords, maxBytes } = this.#limits;
    while (
      (maxRecords > 0 && this.#records > maxRecords) ||
      (maxBytes > 0 && this.#bytes > maxBytes && this.#records > 0)
    ) {
      const oldest = this.#use('SELECT number FROM dead ORDER BY number LIMIT 1').get();
      if (!oldest) return;
      this.#drop(Number(oldest['number']));
    }
  }

  #drop(number: number): void {
    this.remove(number);
    this.#dropped += 1;
    this.#changed = true;
  }

  #sum(): void {
    const sums = this.#use('SELECT count(*) AS n, total(bytes) AS bytes FROM dead').get();
    this.#records = Number(sums?.['n'] ?? 0);
    this.#bytes = Number(sums?.['bytes'] ?? 0);
  }

  #take(number: number): { row: Buffer; history: string } | undefined {
    const found = this.#use('SELECT history, body FROM dead_rows WHERE number = ?').get(number);
    return found && { row: asBuffer(found['body']), history: String(found['history']) };
  }

  #use(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

/** Each condition is a fixed text; what they compare with is bound. At most 2^9 texts exist. */
function conditions(filter: DeadFilter): [where: string, values: Value[]] {
  const texts = ['TRUE'];
  const values: Value[] = [];
  const add = (text: string, value: Value | undefined): void => {
    if (value === undefined) return;
    texts.push(text);
    values.push(value);
  };
  add('number IN (SELECT value FROM json_each(?))', filter.numbers && JSON.stringify(filter.numbers));
  add('queue = ?', filter.queue);
  add('node = ?', filter.node);
  add('code = ?', filter.code);
  add('kind = ?', filter.kind);
  add('id = ?', filter.id);
  add('key = ?', filter.key);
  add('last >= ?', filter.since);
  add('last < ?', filter.before);
  return [texts.join(' AND '), values];
}

function toLetter(found: Record<string, unknown>): DeadLetter {
  try {
    const facts = JSON.parse(String(found['facts'])) as Omit<DeadLetter, 'number'>;
    return { number: Number(found['number']), ...facts };
  } catch (cause) {
    throw new Damaged('the facts of a dead letter are not what was written', { cause });
  }
}

function readLimits(text: unknown): DeadLimits {
  if (typeof text !== 'string') return DEFAULT_LIMITS;
  try {
    return { ...DEFAULT_LIMITS, ...(JSON.parse(text) as Partial<DeadLimits>) };
  } catch {
    return DEFAULT_LIMITS;
  }
}
