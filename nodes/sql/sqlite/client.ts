/**
 * knex's dialect for node:sqlite: its better-sqlite3 dialect with a worker thread as the driver. It overrides
 * knex internals, so knex is pinned (3.3.0) and `client.test.ts` proves the overrides.
 */
import type { Knex } from 'knex';
import { bindValue } from '../dialects/values';
import type { FlatRows, SqliteValue } from './protocol';
import type { SqliteThread } from './thread';

export interface SqliteSettings {
  readonly filename: string;
  readonly thread: SqliteThread;
  readonly busyMs: number;
}
/** What the pool hands out: a database number of the thread. */
export interface SqliteConnection {
  readonly thread: SqliteThread;
  readonly db: number;
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

    override async acquireRawConnection(): Promise<SqliteConnection> {
      const { filename, thread, busyMs } = this.connectionSettings as SqliteSettings;
      return { thread, db: await thread.ask('open', { file: filename, readOnly: false, busyMs }) };
    }

    override async destroyRawConnection({ thread, db }: SqliteConnection): Promise<void> {
      await thread.ask('close', { db }).catch(() => null);
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
