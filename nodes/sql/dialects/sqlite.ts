/** A SQLite connection. Batches travel to the thread in one message and run there in one transaction. */
import type { FlatRows, PlainStatement, RowChunk, SqliteValue } from '../sqlite/protocol';
import type { SqliteConnection } from '../sqlite/client';
import { SqliteError } from '../sqlite/thread';
import { numbered } from './shared';
import type { Chunk, Link, ResultSet, Statement } from './types';

export interface SqliteSource {
  readonly connection: SqliteConnection;
  readonly file: string;
  readonly busyMs: number;
}

export function sqliteLink({ connection, file, busyMs }: SqliteSource): Link {
  const { thread, db } = connection;
  const run = async (statement: Statement, guard = false): Promise<ResultSet> =>
    unflatten(await thread.ask('run', { db, guard, ...plain(statement) }));
  return {
    run,
    read: (statement) => run(statement, true),
    async script(statements) {
      try {
        const results = await thread.ask('script', { db, statements: statements.map(plain) });
        return results.map(unflatten);
      } catch (error) {
        if (error instanceof SqliteError && error.index !== undefined) throw numbered(error, error.index);
        throw error;
      }
    },
    atomically: (statements) => thread.ask('batch', { db, statements: statements.map(plain) }),
    async tolerantly(chunks) {
      const refused = await thread.ask('tolerant', { db, chunks: chunks.map(rowChunk) });
      return new Map(
        refused.map((one) => [chunks[one.chunk]?.item(one.row) ?? 0, new SqliteError(one.error)]),
      );
    },
    async *stream(statement, size) {
      // A handle of its own: in WAL mode a slow reader then holds up no writer.
      const reader = await thread.ask('open', { file, readOnly: true, busyMs });
      try {
        const cursor = await thread.ask('cursor', { db: reader, ...plain(statement) });
        try {
          for (let done = false; !done;) {
            const part = await thread.ask('fetch', { cursor, size });
            done = part.done;
            if (part.rowCount > 0) yield unflatten(part);
          }
        } finally {
          await thread.ask('release', { cursor }).catch(() => null);
        }
      } finally {
        await thread.ask('close', { db: reader }).catch(() => null);
      }
    },
  };
}

function plain({ sql, values }: Statement): PlainStatement {
  return { sql, values: values as readonly SqliteValue[] };
}

function rowChunk(chunk: Chunk): RowChunk {
  const whole = plain(chunk.statement(0, chunk.count));
  const single = chunk.count > 1 ? chunk.statement(0, 1).sql : whole.sql;
  return { ...whole, single, width: whole.values.length / chunk.count };
}

function unflatten({ columns, values, rowCount }: FlatRows): ResultSet {
  if (columns.length === 0) return { columns, rows: [], rowCount };
  const rows: unknown[][] = [];
  for (let row = 0; row < rowCount; row += 1) {
    const cells: unknown[] = values.slice(row * columns.length, (row + 1) * columns.length);
    cells.forEach((cell, i) => {
      if (cell instanceof Uint8Array) cells[i] = Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength);
    });
    rows.push(cells);
  }
  return { columns, rows, rowCount };
}
