/** A MySQL or MariaDB connection of mysql2. Values go through prepared statements, apart from the text. */
import { exactInteger } from './integers';
import { Room, TooLarge } from './room';
import { atomically, inTransaction, script, tolerantly } from './shared';
import type { Link, ResultSet, Statement } from './types';

interface Field {
  readonly name: string;
  readonly columnType?: number;
}
interface Header {
  readonly affectedRows: number;
}
type Done = (error: Error | null, result: unknown[][] | Header, fields: Field[] | undefined) => void;
interface Command {
  stream(options: { highWaterMark: number }): AsyncIterable<unknown[]> & {
    on(event: 'fields', listener: (fields: Field[]) => void): unknown;
    destroy(): void;
  };
}
export interface MysqlConnection {
  execute(options: object, done: Done): unknown;
  execute(options: object): Command;
  query(sql: string, done: Done): unknown;
}
/** A part of a stream ends early at this size. */
const PART_BYTES = 4 * 1024 * 1024;
/** Column types of the protocol. */
const TIMESTAMP = 7;
const LONGLONG = 8;
const DATETIME = 12;
/** The server cannot prepare this statement; some DDL. */
const NOT_PREPARABLE = 1295;

export function mysqlLink(connection: MysqlConnection): Link {
  const run = (statement: Statement, room = new Room()): Promise<ResultSet> =>
    new Promise((resolve, reject) => {
      const done: Done = (error, result, fields) => {
        if (room.full) reject(new TooLarge('the result is too large'));
        else if (error === null) resolve(resultSet(result, fields));
        else if (statement.values.length === 0 && (error as { errno?: number }).errno === NOT_PREPARABLE) {
          connection.query(statement.sql, (again, outcome, columns) => {
            if (again === null) resolve(resultSet(outcome, columns));
            else reject(again);
          });
        } else reject(error);
      };
      connection.execute({ ...statement, rowsAsArray: true, typeCast: within(room) }, done);
    });
  const exec = (sql: string) => (): Promise<void> =>
    new Promise((resolve, reject) => {
      connection.query(sql, (error) => (error === null ? resolve() : reject(error)));
    });
  const steps = {
    run,
    begin: (mode: 'read' | 'write') =>
      exec(mode === 'read' ? 'START TRANSACTION READ ONLY' : 'START TRANSACTION')(),
    commit: exec('COMMIT'),
    rollback: exec('ROLLBACK'),
    savepoint: exec('SAVEPOINT holdfast'),
    rollbackToSavepoint: exec('ROLLBACK TO SAVEPOINT holdfast'),
  };
  return {
    run,
    read: (statement) => inTransaction(steps, 'read', () => run(statement)),
    script: (statements) => script(steps, statements),
    atomically: (statements) => atomically(steps, statements),
    tolerantly: (chunks) => tolerantly(steps, chunks),
    async *stream(statement, size) {
      await steps.begin('read');
      let fields: Field[] = [];
      try {
        // The stream pauses the socket when `size` rows wait.
        const rows = connection.execute({ ...statement, rowsAsArray: true }).stream({ highWaterMark: size });
        rows.on('fields', (named) => {
          fields = named;
        });
        let part: unknown[][] = [];
        let room = new Room(PART_BYTES);
        for await (const row of rows) {
          part.push(row);
          for (const cell of row) room.fits(cell);
          if (part.length < size && !room.full) continue;
          yield resultSet(part, fields);
          part = [];
          room = new Room(PART_BYTES);
        }
        if (part.length > 0) yield resultSet(part, fields);
      } finally {
        await steps.rollback().catch(() => {});
      }
    },
  };
}

/** The driver has no end for a result that grows; what does not fit is not even decoded. */
function within(room: Room): (field: unknown, next: () => unknown) => unknown {
  return (_, next) => {
    if (room.full) return null;
    const value = next();
    return room.fits(value) ? value : null;
  };
}

function resultSet(result: unknown[][] | Header, fields: readonly Field[] | undefined): ResultSet {
  if (!Array.isArray(result)) return { columns: [], rows: [], rowCount: result.affectedRows };
  const columns = (fields ?? []).map((field) => field.name);
  const converters = (fields ?? []).map((field) => converter(field.columnType));
  const rows = converters.some((one) => one !== undefined)
    ? result.map((row) =>
        row.map((cell, i) => (typeof cell === 'string' ? (converters[i]?.(cell) ?? cell) : cell)),
      )
    : result;
  return { columns, rows, rowCount: rows.length };
}

/** The driver gives 64-bit integers beyond 2^53 and all times as text. */
function converter(type: number | undefined): ((text: string) => unknown) | undefined {
  switch (type) {
    case LONGLONG:
      return exactInteger;
    case DATETIME:
      return (text) => text.replace(' ', 'T');
    case TIMESTAMP:
      // The session's time zone is UTC.
      return (text) => `${text.replace(' ', 'T')}Z`;
    default:
      return undefined;
  }
}
