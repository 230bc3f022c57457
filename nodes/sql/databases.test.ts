/** The databases that the suites of this folder run over. SQLite always; the others where they answer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { silentLog, systemClock, type Message } from '../../lib/core';
import type { RawConfig } from '../../lib/spec';
import { Harness } from '../../test/helpers/harness';
import { reachableSql, type SqlService } from '../../test/helpers/services';
import { adapter } from './adapter';
import { connector } from './connector';
import { DIALECTS } from './dialects/facts';
import { openSession } from './engine/drivers';
import type { Session } from './engine/session';

export const NAMES = ['SQLite', 'PostgreSQL', 'MariaDB'] as const;
export type DatabaseName = (typeof NAMES)[number];

export interface Database {
  readonly name: DatabaseName;
  readonly harness: Harness;
  readonly connection: RawConfig;
  readonly secrets: RawConfig;
  /** A table name of this test alone; dropped at the end. */
  table(): string;
  /** One message through a node with these settings. */
  send(config: RawConfig, msg: Message): Promise<Message[]>;
  node(config: RawConfig): {
    send(msg: Message): Promise<Message[]>;
    input(msg: Message, send: (msg: Message) => void): Promise<void>;
  };
  /** A statement of the test itself. */
  sql(sql: string, params?: unknown): Promise<Record<string, unknown>[]>;
}

let tables = 0;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Runs `test` with an open database. Unreachable servers fail under CI; elsewhere `npm test` names them. */
export function withDatabase(name: DatabaseName, test: (db: Database) => Promise<void>): () => Promise<void> {
  return async () => {
    const settings = await settingsOf(name);
    if (!settings) return;
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-sql-test-'));
    const harness = new Harness({ directory: folder });
    const { connection } = harness.connection(connector, settings.connection, settings.secrets);
    const used: string[] = [];
    const node = (config: RawConfig) => {
      const made = harness.adapter(adapter, connection, { retryStrategy: 'none', ...config });
      return {
        send: made.send,
        input: (msg: Message, out: (msg: Message) => void) => made.node.input(msg, out),
      };
    };
    const sql = async (text: string, params: unknown = {}) => {
      const [out] = await node({ operation: 'query', sql: text, access: 'write' }).send({ params });
      return (out?.payload ?? []) as Record<string, unknown>[];
    };
    try {
      await test({
        name,
        harness,
        ...settings,
        node,
        sql,
        send: (config, msg) => node(config).send(msg),
        table: () => {
          tables += 1;
          const table = `hf_test_${process.pid}_${tables}`;
          used.push(table);
          return table;
        },
      });
    } finally {
      for (const table of used) await sql(`DROP TABLE IF EXISTS ${table}`);
      await harness.close();
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

export async function settingsOf(
  name: DatabaseName,
): Promise<{ connection: RawConfig; secrets: RawConfig } | undefined> {
  if (name === 'SQLite') return { connection: { client: 'sqlite', file: 'test.sqlite' }, secrets: {} };
  const address = await reachableSql(name satisfies SqlService);
  if (!address) {
    if (process.env['CI'] === 'true') throw new Error(`${name} cannot be reached, which CI does not allow.`);
    return undefined;
  }
  const { host, port, database, user, password } = address;
  return {
    connection: {
      client: name === 'PostgreSQL' ? 'postgres' : 'mysql',
      host,
      port: String(port),
      database: database,
      encrypt: false,
      authKind: 'basic',
      username: user,
    },
    secrets: { password },
  };
}

/** An open session without the roles. */
export function withSession(
  name: DatabaseName,
  test: (session: Session) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const settings = await settingsOf(name);
    if (!settings) return;
    const { connection, secrets } = settings;
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-sql-test-'));
    const dialect =
      Object.values(DIALECTS).find((one) => one.name === connection['client'])?.name ?? 'sqlite';
    const session = await openSession({
      dialect,
      file: 'test.sqlite',
      directory: folder,
      host: text(connection['host']),
      port: Number(connection['port'] ?? 0),
      database: text(connection['database']),
      user: text(connection['username']),
      auth: {
        kind: 'basic',
        username: '',
        password: text(secrets['password']),
        parts: () => Promise.reject(new Error('not HTTP')),
        renew: () => false,
        close() {},
      },
      tls: undefined,
      max: 2,
      acquireMs: 5000,
      busyMs: 1000,
      log: silentLog,
      clock: systemClock,
      lost: (error) => assert.fail(String(error)),
    });
    try {
      await test(session);
    } finally {
      await session.close();
      rmSync(folder, { recursive: true, force: true });
    }
  };
}
