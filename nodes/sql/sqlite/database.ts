/** One SQLite database inside the worker. Everything here is synchronous: only the worker may wait for a disk. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Room, TooLarge } from '../dialects/room';
import type {
  FetchedRows,
  FlatRows,
  PlainStatement,
  RefusedRow,
  RowChunk,
  SqliteErrorRecord,
  SqliteValue,
} from './protocol';

type Row = Record<string, SqliteValue>;
/** Prepared statements kept per database; the least recently used one makes room. */
const KEPT = 64;
/** A part of a stream ends early at this size. */
const PART_BYTES = 4 * 1024 * 1024;
/** SQLite primary result codes that concern one row and leave the transaction intact. */
const ROW_CODES = new Set([1, 18, 19, 20, 25]);

export class Database {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  run(statement: PlainStatement, guard: boolean): FlatRows {
    if (!guard) return this.#run(statement);
    this.#db.exec('PRAGMA query_only = 1');
    try {
      return this.#run(statement);
    } finally {
      this.#db.exec('PRAGMA query_only = 0');
    }
  }

  script(statements: readonly PlainStatement[]): FlatRows[] {
    const room = new Room();
    return this.#transaction(() =>
      statements.map((statement, index) => {
        try {
          return this.#run(statement, room);
        } catch (error) {
          throw Object.assign(error as Error, { index });
        }
      }),
    );
  }

  batch(statements: readonly PlainStatement[]): number {
    return this.#transaction(() => {
      let changed = 0;
      for (const { sql, values } of statements) changed += this.#change(sql, values);
      return changed;
    });
  }

  tolerant(chunks: readonly RowChunk[]): RefusedRow[] {
    return this.#transaction(() => {
      const refused: RefusedRow[] = [];
      chunks.forEach((chunk, index) => this.#writeChunk(chunk, index, refused));
      return refused;
    });
  }

  cursor({ sql, values }: PlainStatement): Cursor {
    // Its own statement: running a cached one again would reset the cursor.
    const statement = this.#prepare(sql);
    return new Cursor(columnNames(statement), statement.iterate(...bound(values)) as IterableIterator<Row>);
  }

  close(): void {
    this.#prepared.clear();
    this.#db.close();
  }

  #run({ sql, values }: PlainStatement, room = new Room()): FlatRows {
    const statement = this.#cached(sql);
    const columns = columnNames(statement);
    if (columns.length === 0) {
      return { columns, values: [], rowCount: Number(statement.run(...bound(values)).changes) };
    }
    const cells: SqliteValue[] = [];
    let rowCount = 0;
    for (const row of statement.iterate(...bound(values)) as IterableIterator<Row>) {
      flatten(columns, row, cells, room);
      if (room.full) throw new TooLarge('the result is too large');
      rowCount += 1;
    }
    return { columns, values: cells, rowCount };
  }

  #change(sql: string, values: readonly SqliteValue[]): number {
    return Number(this.#cached(sql).run(...bound(values)).changes);
  }

  /** A failed statement undoes itself only, so the rows of a refused chunk can be tried one by one. */
  #writeChunk(chunk: RowChunk, index: number, refused: RefusedRow[]): void {
    const many = chunk.values.length > chunk.width;
    try {
      this.#change(chunk.sql, chunk.values);
      return;
    } catch (error) {
      const record = this.#rowError(error);
      if (!many) {
        refused.push({ chunk: index, row: 0, error: record });
        return;
      }
    }
    for (let row = 0; row * chunk.width < chunk.values.length; row += 1) {
      try {
        this.#change(chunk.single, chunk.values.slice(row * chunk.width, (row + 1) * chunk.width));
      } catch (error) {
        refused.push({ chunk: index, row, error: this.#rowError(error) });
      }
    }
  }

  /** Rethrows what concerns more than one row: disk full, I/O, a transaction that SQLite itself ended. */
  #rowError(error: unknown): SqliteErrorRecord {
    const record = errorRecord(error);
    if (!this.#db.isTransaction || !(ROW_CODES.has(record.errcode & 0xff) || record.errcode === 0))
      throw error;
    return record;
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #cached(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) {
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    const statement = this.#prepare(sql);
    this.#prepared.set(sql, statement);
    if (this.#prepared.size > KEPT) {
      const oldest = this.#prepared.keys().next();
      if (!oldest.done) this.#prepared.delete(oldest.value);
    }
    return statement;
  }

  /** Integers are read as BigInt, because a double would corrupt those beyond 2^53. */
  #prepare(sql: string): StatementSync {
    const statement = this.#db.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  }
}

export class Cursor {
  readonly #columns: string[];
  readonly #rows: IterableIterator<Row>;

  constructor(columns: string[], rows: IterableIterator<Row>) {
    this.#columns = columns;
    this.#rows = rows;
  }

  fetch(size: number): FetchedRows {
    const room = new Room(PART_BYTES);
    const values: SqliteValue[] = [];
    let rowCount = 0;
    let done = false;
    while (rowCount < size && !done && !room.full) {
      const next = this.#rows.next();
      if (next.done) {
        done = true;
      } else {
        flatten(this.#columns, next.value, values, room);
        rowCount += 1;
      }
    }
    return { columns: this.#columns, values, rowCount, done };
  }

  close(): void {
    this.#rows.return?.();
  }
}

function columnNames(statement: StatementSync): string[] {
  return statement.columns().map((column) => column.name);
}

function flatten(columns: readonly string[], row: Row, into: SqliteValue[], room: Room): void {
  for (const column of columns) {
    const value = row[column] ?? null;
    room.fits(value);
    into.push(typeof value === 'bigint' ? exact(value) : value);
  }
}

/** node:sqlite stores every number as a double, which a text column would keep as "5.0" and 7/2 turn into 3.5. */
function bound(values: readonly SqliteValue[]): SqliteValue[] {
  const all: SqliteValue[] = [];
  for (const value of values) all.push(Number.isSafeInteger(value) ? BigInt(value as number) : value);
  return all;
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** `code` and `errcode` as node:sqlite gives them; errcode 0 when the error is not SQLite's own. */
export function errorRecord(error: unknown): SqliteErrorRecord {
  const { code, errcode, message, index } = error as Readonly<Record<string, unknown>>;
  return {
    ...(typeof index === 'number' ? { index } : {}),
    code: typeof code === 'string' ? code : 'ERR_SQLITE_ERROR',
    errcode: typeof errcode === 'number' ? errcode : 0,
    message: typeof message === 'string' ? message : String(error),
  };
}
