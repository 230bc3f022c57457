/**
 * knex's dialect for node:sqlite: its better-sqlite3 dialect with a worker thread as the driver. It overrides
 * knex internals, so knex is pinned (3.3.0) and `client.test.ts` proves the overrides.
 */
import type { Knex } from 'knex';
import { bindValue } from '../dialects/values';
import type { FlatRows, SqliteValue } from './protocol';
import type { SqliteThread } from './thread';

/**
 * What the pool hands out. Every request is whole in itself and the thread runs one after the other, so all
 * connections share one open database: while one request runs, the next already waits in the thread.
 */
export interface SqliteConnection {
  readonly thread: SqliteThread;
  /** The number of the open database. */
  readonly db: number;
}
export interface SqliteSettings extends SqliteConnection {
  /** knex warns where it is missing. */
  readonly filename: string;
}
interface KnexQuery {
  readonly sql: string;
  readonly bindings?: readonly unknown[];
  response?: unknown;
  context?: unknown;
}
type ClientClass = typeof Knex.Client;

/** Made from the loaded dialect, so that knex loads only when a connection opens. */
export function sqliteClient(Base: ClientClass): ClientClass {
  class NodeSqliteClient extends Base {
    /** The driver is the thread; nothing to load. */
    _driver(): object {
      return {};
    }

    override acquireRawConnection(): Promise<SqliteConnection> {
      const { thread, db } = this.connectionSettings as SqliteSettings;
      return Promise.resolve({ thread, db });
    }

    override destroyRawConnection(): Promise<void> {
      return Promise.resolve();
    }

    async _query({ thread, db }: SqliteConnection, query: KnexQuery): Promise<KnexQuery> {
      const values = (query.bindings ?? []).map((value) => bindValue(value, 'sqlite') as SqliteValue);
      const flat = await thread.ask('run', { db, sql: query.sql, values, guard: false });
      query.response = flat.columns.length > 0 ? objects(flat) : { changes: flat.rowCount };
      query.context = { changes: flat.rowCount, lastID: 0 };
      return query;
    }
  }
  Object.assign(NodeSqliteClient.prototype, { driverName: 'node:sqlite' });
  return NodeSqliteClient;
}

function objects({ columns, values, rowCount }: FlatRows): Record<string, unknown>[] {
  return Array.from({ length: rowCount }, (_, row) =>
    Object.fromEntries(columns.map((column, i) => [column, values[row * columns.length + i]])),
  );
}
