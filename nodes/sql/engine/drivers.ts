/** Opens the pool of the configured database and proves that it answers. */
import { isAbsolute, join } from 'node:path';
import type * as Tedious from 'tedious';
import { Failure, type Clock, type Log } from '../../../lib/core';
import type { Auth, TlsOptions } from '../../../lib/secrets/types';
import { DIALECTS } from '../dialects/facts';
import { mssqlLink, type MssqlConnection } from '../dialects/mssql';
import { mysqlLink, type MysqlConnection } from '../dialects/mysql';
import { postgresLink, type PostgresConnection } from '../dialects/postgres';
import { sqliteLink } from '../dialects/sqlite';
import type { DialectName, Link } from '../dialects/types';
import { SqliteThread } from '../sqlite/thread';
import { library, openPool, type Pool } from './pool';
import { serverSettings } from './server-settings';
import { Session, type Driver } from './session';

export interface Target {
  readonly dialect: DialectName;
  readonly file: string;
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly auth: Auth;
  /** Undefined: the connection is not encrypted. */
  readonly tls: TlsOptions | undefined;
  readonly max: number;
  readonly acquireMs: number;
  readonly busyMs: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly lost: (error: unknown) => void;
}

export function openSession(target: Target): Promise<Session> {
  return target.dialect === 'sqlite' ? openSqlite(target) : openServer(target, target.dialect);
}

async function openSqlite(target: Target): Promise<Session> {
  const { busyMs, lost } = target;
  if (target.file === '' || target.file.startsWith(':') || target.file.startsWith('file:')) {
    throw new Failure(
      'config',
      'BAD_CONFIG',
      'The database file must be the path of a file, such as "holdfast.sqlite".',
      {
        reached: false,
      },
    );
  }
  const file = isAbsolute(target.file) ? target.file : join(target.directory, target.file);
  const thread = new SqliteThread(lost);
  const close = () => thread.close(target.clock);
  try {
    const db = await thread.ask('open', { file, readOnly: false, busyMs });
    const connection = { filename: file, thread, db };
    const pool = await openPool({
      ...target,
      connection,
      max: SQLITE_REQUESTS,
      prepare: () => Promise.resolve(),
    });
    return new Session(pool, {
      dialect: DIALECTS.sqlite,
      link: () => sqliteLink({ connection, file, busyMs }),
      cut: () => {},
      close,
    });
  } catch (error) {
    await close();
    throw error;
  }
}
/** Requests that may wait in the database's thread. */
const SQLITE_REQUESTS = 64;

/** Times are exchanged in UTC, strings end where the scanner says, and MySQL refuses what it would otherwise cut. */
const PREPARE: Readonly<Record<'postgres' | 'mysql' | 'mssql', readonly string[]>> = {
  postgres: [
    `SELECT set_config('TimeZone', 'UTC', false), set_config('standard_conforming_strings', 'on', false)`,
  ],
  mysql: [
    `SET time_zone = '+00:00', SESSION sql_mode = ` +
      `CONCAT(REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''), ',STRICT_ALL_TABLES')`,
  ],
  mssql: ['SET XACT_ABORT OFF', 'SET NOCOUNT OFF'],
};

async function openServer(target: Target, dialect: 'postgres' | 'mysql' | 'mssql'): Promise<Session> {
  const tedious = dialect === 'mssql' ? await library('tedious', () => import('tedious')) : undefined;
  const cutOff = new WeakSet<object>();
  const preparing = new Set<object>();
  const cut = (connection: object): void => {
    cutOff.add(connection);
    cutSocket(connection);
  };
  const linkOf = (connection: object): Link => makeLink(dialect, connection, tedious);
  const pool = await openPool({
    ...target,
    dialect,
    connection: serverSettings(target, dialect),
    prepare: async (connection) => {
      // An idle connection that dies is the first sign that the server went away.
      (connection as Emitter).on('error', (error) => {
        if (!cutOff.has(connection)) target.lost(error);
      });
      preparing.add(connection);
      const late = target.clock.timer(target.acquireMs, () => cut(connection));
      try {
        for (const sql of PREPARE[dialect]) await linkOf(connection).run({ sql, values: [] });
      } catch (error) {
        // The pool does not know it yet, so nobody else would end it.
        cut(connection);
        throw error;
      } finally {
        late.cancel();
        preparing.delete(connection);
      }
    },
  });
  return proven(pool, {
    dialect: DIALECTS[dialect],
    link: linkOf,
    cut,
    close: () => {
      for (const connection of preparing) cut(connection);
      return Promise.resolve();
    },
  });
}

interface Emitter {
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

function makeLink(dialect: DialectName, connection: object, tedious: typeof Tedious | undefined): Link {
  if (dialect === 'postgres') return postgresLink(connection as PostgresConnection);
  if (dialect === 'mysql' || !tedious) return mysqlLink(connection as MysqlConnection);
  return mssqlLink(connection as MssqlConnection, tedious);
}

/** The drivers' polite ends wait for the server; a call that was given up must not. */
function cutSocket(connection: object): void {
  const {
    stream,
    connection: inner,
    close,
  } = connection as {
    stream?: { destroy?(): void };
    connection?: { stream?: { destroy(): void } };
    close?(): void;
  };
  if (inner?.stream) inner.stream.destroy();
  else if (stream?.destroy) stream.destroy();
  else close?.call(connection);
}

async function proven(pool: Pool, driver: Driver): Promise<Session> {
  const session = new Session(pool, driver);
  try {
    const connection = await pool.acquire();
    await pool.release(connection);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
