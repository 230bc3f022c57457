/** What only SQLite has: a thread, a file, locks, and a dialect of our own for knex. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import knexOf, { type Knex } from 'knex';
import { Scope, systemClock } from '../../lib/core';
import type { RawConfig } from '../../lib/spec';
import { Harness } from '../../test/helpers/harness';
import { adapter } from './adapter';
import { classify } from './classify';
import { connector } from './connector';
import { withSession } from './databases.test';
import { start } from './simulator';
import { sqliteClient } from './sqlite/client';
import { SqliteError, SqliteThread } from './sqlite/thread';

function inFolder(test: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-sql-test-'));
    try {
      await test(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

async function withNode(
  folder: string,
  raw: RawConfig,
  test: (send: (config: RawConfig, msg: object) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const harness = new Harness({ directory: folder });
  const { connection } = harness.connection(connector, { client: 'sqlite', file: 'one.sqlite', ...raw });
  try {
    await test(async (config, msg) => {
      const [out] = await harness
        .adapter(adapter, connection, { retryStrategy: 'none', ...config })
        .send({ params: {}, ...msg });
      return out?.payload;
    });
  } finally {
    await harness.close();
  }
}

describe('sqlite in its thread', () => {
  it(
    'never stops the event loop, however long the disk takes',
    inFolder((folder) =>
      withNode(folder, { busyTimeout: '30s' }, async (send) => {
        await send({ operation: 'query', sql: 'CREATE TABLE t (id integer)', access: 'write' }, {});
        // A lock held by this very thread stands for a disk that does not answer: were SQLite called here, the
        // loop below could never release it.
        const other = new DatabaseSync(join(folder, 'one.sqlite'));
        other.exec('BEGIN EXCLUSIVE');
        let settled = false;
        const written = send({ operation: 'insert', table: 't' }, { payload: { id: 1 } }).finally(() => {
          settled = true;
        });
        for (let turn = 0; turn < 2000; turn += 1) await new Promise(setImmediate);
        assert.equal(settled, false);
        other.exec('ROLLBACK');
        await written;
        assert.deepEqual(
          other
            .prepare('SELECT count(*) AS n FROM t')
            .all()
            .map((row) => row['n']),
          [1],
        );
        other.close();
      }),
    ),
  );

  it(
    'says that the file is locked, and works when it is free again',
    inFolder((folder) =>
      withNode(folder, { busyTimeout: '0ms' }, async (send) => {
        await send({ operation: 'query', sql: 'CREATE TABLE t (id integer)', access: 'write' }, {});
        const other = new DatabaseSync(join(folder, 'one.sqlite'));
        other.exec('BEGIN EXCLUSIVE');
        const insert = () => send({ operation: 'insert', table: 't' }, { payload: { id: 1 } });
        await assert.rejects(insert(), { kind: 'transient', code: 'SQL_BUSY' });
        other.exec('ROLLBACK');
        await insert();
        other.close();
      }),
    ),
  );

  it(
    'names a file that cannot be a database',
    inFolder(async (folder) => {
      writeFileSync(
        join(folder, 'text.sqlite'),
        'this is no database, but long enough to look like a page of one',
      );
      mkdirSync(join(folder, 'folder.sqlite'));
      const query = { operation: 'query', sql: 'SELECT 1' };
      const cases: [string, string][] = [
        ['text.sqlite', 'SQL_CORRUPT'],
        ['folder.sqlite', 'BAD_CONFIG'],
        ['missing/folder/x.sqlite', 'BAD_CONFIG'],
        [':memory:', 'BAD_CONFIG'],
        ['file:x?mode=memory', 'BAD_CONFIG'],
      ];
      for (const [file, code] of cases) {
        await withNode(folder, { file }, (send) =>
          assert.rejects(send(query, {}), { kind: 'config', code }, file),
        );
      }
    }),
  );

  it(
    'keeps every commit: write-ahead log, synced in full',
    withSession('SQLite', async (session) => {
      const pragma = (name: string) =>
        session.use(
          new Scope(),
          async (link) => (await link.run({ sql: `PRAGMA ${name}`, values: [] })).rows[0]?.[0],
        );
      assert.equal(await pragma('journal_mode'), 'wal');
      assert.equal(await pragma('synchronous'), 2);
      assert.equal(await pragma('foreign_keys'), 1);
    }),
  );

  it(
    'writes while a slow reader goes through a large result',
    withSession('SQLite', async (session) => {
      const run = (sql: string) => session.use(new Scope(), (link) => link.run({ sql, values: [] }));
      await run('CREATE TABLE t (id integer)');
      await run('INSERT INTO t VALUES (1), (2), (3)');
      const parts = session.useEach(new Scope(), (link) =>
        link.stream({ sql: 'SELECT id FROM t', values: [] }, 2),
      );
      const first = await parts.next();
      await run('INSERT INTO t VALUES (4)');
      const second = await parts.next();
      assert.deepEqual([...(first.value?.rows ?? []), ...(second.value?.rows ?? [])], [[1], [2], [3]]);
      assert.equal((await parts.next()).done, true);
    }),
  );

  it(
    'rejects what is still asked when it is closed',
    inFolder(async (folder) => {
      const thread = new SqliteThread(() => assert.fail('closed on purpose'));
      const db = await thread.ask('open', { file: join(folder, 'x.sqlite'), readOnly: false, busyMs: 0 });
      await thread.close(systemClock);
      const late = thread.ask('run', { db, sql: 'SELECT 1', values: [], guard: false });
      await assert.rejects(late, (error) => classify(error).kind === 'disconnected');
    }),
  );

  it('names a Node.js that is too old', () => {
    const failure = classify(
      new SqliteError({ code: 'ERR_UNKNOWN_BUILTIN_MODULE', errcode: 0, message: 'x' }),
    );
    assert.equal(failure.code, 'MISSING_LIBRARY');
    assert.match(failure.message, /Node\.js 22\.13/);
  });
});

describe('knex on node:sqlite', () => {
  it(
    'builds, runs and counts through our dialect',
    inFolder(async (folder) => {
      const thread = new SqliteThread(() => {});
      const file = join(folder, 'knex.sqlite');
      const db = await thread.ask('open', { file, readOnly: false, busyMs: 0 });
      const { client } = knexOf({ client: 'better-sqlite3', useNullAsDefault: true }) as unknown as {
        client: object;
      };
      const knex = knexOf({
        client: sqliteClient(client.constructor as typeof Knex.Client),
        connection: { filename: file, thread, db } as Knex.StaticConnectionConfig,
        useNullAsDefault: true,
      });
      try {
        await knex.schema.createTable('t', (t) => {
          t.increments('id');
          t.string('name');
          t.binary('raw');
        });
        assert.equal(await knex.schema.hasTable('t'), true);
        await knex('t').insert([{ name: 'a', raw: Buffer.from([1]) }, { name: 'b' }]);
        assert.equal(await knex('t').where({ name: 'a' }).update({ name: 'A' }), 1);
        assert.deepEqual(await knex('t').select('id', 'name').orderBy('id'), [
          { id: 1, name: 'A' },
          { id: 2, name: 'b' },
        ]);
        assert.equal(await knex('t').del(), 2);
        await assert.rejects(knex('nowhere').select(), /no such table/);
      } finally {
        await knex.destroy();
        await thread.close(systemClock);
      }
    }),
  );
});

describe('sql simulator', () => {
  it(
    'answers on the connection’s own settings, the same for the same seed',
    inFolder((folder) =>
      withNode(folder, { client: 'postgres', simulate: true }, async (send) => {
        const query = { operation: 'query', sql: 'SELECT count(*) AS n FROM orders' };
        assert.deepEqual(await send(query, {}), [{ n: 40 }]);
        const content = async (): Promise<unknown> => {
          const simulator = await start({ seed: 7, clock: { ...systemClock, now: () => 1e12 } });
          const db = new DatabaseSync(simulator.file);
          const rows = db.prepare('SELECT * FROM orders, readings LIMIT 500').all();
          db.close();
          await simulator.close();
          return rows;
        };
        assert.deepEqual(await content(), await content());
      }),
    ),
  );
});
