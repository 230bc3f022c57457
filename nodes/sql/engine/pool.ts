/** knex with one of its dialects as the pool of connections, and knex's schema builder. */
import type { Knex } from 'knex';
import { Failure, type Log } from '../../../lib/core';
import { sqliteClient } from '../sqlite/client';
import type { DialectName } from '../dialects/types';

type ClientClass = typeof Knex.Client;

export interface PoolOptions {
  readonly dialect: DialectName;
  /** The driver's own settings. */
  readonly connection: object;
  readonly max: number;
  readonly acquireMs: number;
  readonly log: Log;
  /** Runs on every new connection before its first use. */
  prepare(connection: object): Promise<void>;
}

export interface Pool {
  readonly knex: Knex;
  acquire(): Promise<object>;
  release(connection: object): Promise<void>;
  /** Asks the server to stop what this connection is doing. */
  cancel(connection: object): Promise<void>;
  /** Marks a connection so that it is closed instead of used again. */
  discard(connection: object, why: string): void;
  close(): Promise<void>;
}

export async function openPool(options: PoolOptions): Promise<Pool> {
  const { default: knexOf } = await library('knex', () => import('knex'));
  const knex = knexOf({
    client: await clientOf(options.dialect, knexOf),
    connection: options.connection as Knex.StaticConnectionConfig,
    useNullAsDefault: true,
    // Else knex asks each new PostgreSQL connection first, and waits for ever where no answer comes.
    version: '12',
    acquireConnectionTimeout: options.acquireMs,
    log: quiet(options.log),
    pool: {
      min: 0,
      max: options.max,
      afterCreate: (connection: object, done: (error: unknown, connection: object) => void) => {
        options.prepare(connection).then(
          () => done(null, connection),
          (error: unknown) => done(error, connection),
        );
      },
    },
  });
  const client = knex.client as Knex.Client;
  let closed = false;
  return {
    knex,
    acquire: async () => {
      try {
        return (await client.acquireConnection()) as object;
      } catch (error) {
        // The pool's own words for "somebody closed me" carry no code.
        if (closed) throw closedFailure();
        throw error;
      }
    },
    release: (connection) => client.releaseConnection(connection) as Promise<void>,
    cancel: async (connection) => {
      if (!client.canCancelQuery) return;
      await (client as unknown as { cancelQuery(connection: object): Promise<unknown> }).cancelQuery(
        connection,
      );
    },
    discard: (connection, why) => {
      (connection as { __knex__disposed?: string }).__knex__disposed = why;
    },
    close: () => {
      closed = true;
      return knex.destroy();
    },
  };
}

function closedFailure(): Failure {
  const message = 'The connection to the database was closed while the call waited for its turn.';
  return new Failure('disconnected', 'NOT_CONNECTED', message, { reached: false });
}

/** The driver's package, so that a missing one is named before knex prints advice to the console. */
async function clientOf(
  dialect: DialectName,
  knexOf: (config: Knex.Config) => Knex,
): Promise<string | ClientClass> {
  switch (dialect) {
    case 'sqlite': {
      // Without a connection knex loads no driver; what counts is the class it chose.
      const { client } = knexOf({ client: 'better-sqlite3', useNullAsDefault: true }) as {
        client: Knex.Client;
      };
      return sqliteClient(client.constructor as ClientClass);
    }
    case 'postgres':
      await library('pg', () => import('pg'));
      return 'pg';
    case 'mysql':
      await library('mysql2', () => import('mysql2'));
      return 'mysql2';
    case 'mssql':
      await library('tedious', () => import('tedious'));
      return 'mssql';
  }
}

export async function library<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const message = `The library "${name}" is not installed. Run "npm install ${name}" in the Node-RED user directory and restart.`;
    throw new Failure('config', 'MISSING_LIBRARY', message, { reached: false, details: { library: name } });
  }
}

/** knex prints warnings to the console unless it is given somewhere else. Its texts may hold SQL: kept short. */
function quiet(log: Log): object {
  const debug = (text: unknown): void =>
    log.debug(`knex: ${String(text).split('\n', 1)[0]?.slice(0, 200) ?? ''}`);
  return { warn: debug, error: debug, deprecate: debug, debug };
}
