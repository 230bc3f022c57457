/** A SQL Server connection of tedious. */
import type * as Tedious from 'tedious';
import { Failure } from '../../../lib/core';
import { exactInteger } from './integers';
import { Room } from './room';
import { atomically, script, tolerantly } from './shared';
import type { Link, ResultSet, Statement } from './types';

type Library = Pick<typeof Tedious, 'Request' | 'TYPES'>;
type Request = InstanceType<Library['Request']>;
export interface MssqlConnection {
  execSql(request: Request): void;
  execSqlBatch(request: Request): void;
}
interface Cell {
  readonly value: unknown;
  readonly metadata: {
    readonly colName: string;
    readonly precision?: number;
    readonly scale?: number;
    readonly type: { readonly name: string };
  };
}
/** Digits that a double holds exactly. */
const DOUBLE_DIGITS = 15;

export function mssqlLink(connection: MssqlConnection, library: Library): Link {
  const run = (statement: Statement, room = new Room()): Promise<ResultSet> =>
    collect(connection, library, statement, room);
  const exec = (sql: string) => (): Promise<void> =>
    new Promise((resolve, reject) => {
      connection.execSqlBatch(new library.Request(sql, (error) => (error ? reject(error) : resolve())));
    });
  const rollback = exec('IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION');
  const steps = {
    run,
    begin: exec('BEGIN TRANSACTION'),
    commit: exec('COMMIT TRANSACTION'),
    rollback,
    savepoint: exec('SAVE TRANSACTION holdfast'),
    rollbackToSavepoint: exec('ROLLBACK TRANSACTION holdfast'),
  };
  return {
    run,
    // SQL Server has no read-only transaction: what the statement might write is rolled back.
    async read(statement) {
      await steps.begin();
      try {
        return await run(statement);
      } finally {
        await rollback().catch(() => {});
      }
    },
    script: (statements) => script(steps, statements),
    atomically: (statements) => atomically(steps, statements),
    tolerantly: (chunks) => tolerantly(steps, chunks),
    async *stream(statement, size) {
      await steps.begin();
      try {
        yield* parts(connection, library, statement, size);
      } finally {
        await rollback().catch(() => {});
      }
    },
  };
}

function request(
  library: Library,
  { sql, values }: Statement,
  done: (error: Error | null, rows: number) => void,
): Request {
  const made = new library.Request(sql, (error, rows) => done(error ?? null, rows ?? 0));
  values.forEach((value, i) => made.addParameter(`p${i}`, typeOf(value, library), value));
  return made;
}

function typeOf(value: unknown, { TYPES }: Library): (typeof Tedious.TYPES)[keyof typeof Tedious.TYPES] {
  if (typeof value === 'boolean') return TYPES.Bit;
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return TYPES.Float;
    return Math.abs(value) < 2 ** 31 ? TYPES.Int : TYPES.BigInt;
  }
  if (value instanceof Date) return TYPES.DateTime2;
  return value instanceof Uint8Array ? TYPES.VarBinary : TYPES.NVarChar;
}

function collect(
  connection: MssqlConnection,
  library: Library,
  statement: Statement,
  room: Room,
): Promise<ResultSet> {
  return new Promise((resolve, reject) => {
    let columns: string[] = [];
    const rows: unknown[][] = [];
    let broken: unknown;
    const made = request(library, statement, (error, rowCount) => {
      if (error ?? broken) reject(error ?? broken);
      else resolve({ columns, rows, rowCount });
    });
    made.on('columnMetadata', (metadata: unknown) => {
      columns = (metadata as { colName: string }[]).map((column) => column.colName);
    });
    made.on('row', (cells: Cell[]) => {
      if (broken) return;
      try {
        for (const cell of cells) room.take(cell.value);
        rows.push(cells.map(cellValue));
      } catch (error) {
        broken ??= error;
      }
    });
    connection.execSql(made);
  });
}

/** Rows arrive in events; the request is paused while a full part waits to be taken. */
async function* parts(
  connection: MssqlConnection,
  library: Library,
  statement: Statement,
  size: number,
): AsyncGenerator<ResultSet, void, undefined> {
  let columns: string[] = [];
  let waiting: Cell[][] = [];
  let ended = false;
  let failure: Error | null = null;
  let wake: () => void = () => {};
  const made = request(library, statement, (error) => {
    failure = error;
    ended = true;
    wake();
  });
  made.on('columnMetadata', (metadata: unknown) => {
    columns = (metadata as { colName: string }[]).map((column) => column.colName);
  });
  made.on('row', (cells: Cell[]) => {
    waiting.push(cells);
    if (waiting.length < size) return;
    made.pause();
    wake();
  });
  connection.execSql(made);
  try {
    while (!ended || waiting.length > 0) {
      if (!ended && waiting.length < size) await new Promise<void>((resolve) => (wake = resolve));
      if (failure) throw failure as Error;
      const part = waiting.splice(0, size);
      if (part.length > 0)
        yield { columns, rows: part.map((cells) => cells.map(cellValue)), rowCount: part.length };
      if (waiting.length < size) made.resume();
    }
  } finally {
    waiting = [];
    if (!ended) {
      const over = new Promise<void>((resolve) => (wake = resolve));
      made.cancel();
      made.resume();
      await over;
    }
  }
}

function cellValue({ value, metadata }: Cell): unknown {
  if (value === null) return null;
  const type = metadata.type.name;
  if (type === 'BigInt' || (type === 'IntN' && typeof value === 'string'))
    return typeof value === 'string' ? exactInteger(value) : Number(value);
  if (value instanceof Date) return value.toISOString();
  if (!type.startsWith('Decimal') && !type.startsWith('Numeric')) return value;
  if ((metadata.precision ?? 0) > DOUBLE_DIGITS) {
    // The driver already made a double of it, so digits may be lost.
    const message = `The column "${metadata.colName.slice(0, 60)}" has more digits than its driver keeps. Write CAST(… AS varchar(50)) in the query.`;
    throw new Failure('rejected', 'SQL_VALUE', message, { reached: false });
  }
  return Number(value).toFixed(metadata.scale ?? 0);
}
