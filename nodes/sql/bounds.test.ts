/** What a peer, a message or a table can make large or slow, and what ends while it is used. */
import assert from 'node:assert/strict';
import type { Worker } from 'node:worker_threads';
import { Failure, Scope, type Message } from '../../lib/core';
import { classify } from './classify';
import { NAMES, withDatabase, withSession, type DatabaseName } from './databases.test';
import { sqliteLink } from './dialects/sqlite';
import { tolerantly, type Steps } from './dialects/shared';
import type { SqliteThread } from './sqlite/thread';

/** A hundred rows of a million characters. */
const LARGE: Readonly<Record<DatabaseName, string>> = {
  SQLite: `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100)
    SELECT n, hex(zeroblob(500000)) AS filler FROM c`,
  PostgreSQL: `SELECT n, repeat('x', 1000000) AS filler FROM generate_series(1, 100) AS n`,
  MariaDB: `SELECT seq AS n, REPEAT('x', 1000000) AS filler FROM seq_1_to_100`,
};

for (const name of NAMES) {
  describe(`sql bounds on ${name}`, () => {
    it(
      'refuses a result that is too large for one message, and goes on',
      withDatabase(name, async (db) => {
        const query = { operation: 'query', sql: LARGE[name] };
        const tooLarge = { kind: 'rejected', code: 'RESPONSE_TOO_LARGE' };
        await assert.rejects(db.send(query, { params: {} }), tooLarge);
        await assert.rejects(db.send({ ...query, access: 'write' }, { params: {} }), tooLarge);
        const half = LARGE[name].replace(/\b100\b/, '40').replace('seq_1_to_100', 'seq_1_to_40');
        await assert.rejects(db.send({ operation: 'transaction' }, { payload: [half, half] }), tooLarge);
        assert.deepEqual(await db.sql('SELECT 1 AS one'), [{ one: 1 }]);
      }),
    );

    it(
      'sends that result in parts',
      withDatabase(name, async (db) => {
        const stream = { operation: 'query', sql: LARGE[name], stream: true, partRows: 10, paced: false };
        const out = await db.send(stream, { params: {} });
        const rows = out.flatMap((msg) => msg.payload as { n: number; filler: string }[]);
        assert.deepEqual(
          rows.map((row) => [row.n, row.filler.length]),
          Array.from({ length: 100 }, (_, i) => [i + 1, 1_000_000]),
        );
      }),
    );

    it(
      'keeps numbers in text columns as they were written',
      withDatabase(name, async (db) => {
        if (name === 'PostgreSQL') return; // a text column takes text only
        const table = db.table();
        await db.sql(`CREATE TABLE ${table} (name varchar(20))`);
        await db.send(
          { operation: 'insert', table },
          { payload: [{ name: 5 }, { name: 0.5 }, { name: -7 }] },
        );
        const rows = await db.sql(`SELECT name FROM ${table}`);
        assert.deepEqual(
          rows.map((row) => row['name']),
          ['5', '0.5', '-7'],
        );
      }),
    );

    it(
      'refuses what would lose its content on the way',
      withDatabase(name, async (db) => {
        const table = db.table();
        await db.sql(`CREATE TABLE ${table} (name varchar(20))`);
        const round: unknown[] = [];
        round.push(round);
        const values = [new Map([[1, 2]]), new Set([1]), new ArrayBuffer(2), new Float64Array(2), round];
        for (const value of values) {
          const refused = { code: 'BAD_MESSAGE' };
          await assert.rejects(
            db.send({ operation: 'insert', table }, { payload: { name: value } }),
            refused,
          );
          const query = { operation: 'query', sql: `SELECT name FROM ${table} WHERE name = :value` };
          await assert.rejects(db.send(query, { params: { value } }), refused);
        }
      }),
    );

    for (const collect of [false, true]) {
      it(
        `makes a table again that somebody dropped${collect ? ', collecting' : ''}`,
        withDatabase(name, async (db) => {
          const table = db.table();
          const columns = [{ name: 'id', type: 'integer' }];
          const node = db.node({ operation: 'insert', table, createTable: true, columns, collect });
          await node.send({ payload: { id: 1 } });
          await db.sql(`DROP TABLE ${table}`);
          await assert.rejects(node.send({ payload: { id: 2 } }), { code: 'SQL_NO_TABLE' });
          await node.send({ payload: { id: 3 } });
          assert.deepEqual(await db.sql(`SELECT id FROM ${table}`), [{ id: 3 }]);
        }),
      );
    }
  });
}

describe('sql bounds', () => {
  it('asks the SQLite thread for one part at a time, and only when it is wanted', async () => {
    const asked: string[] = [];
    const thread = {
      ask: (op: string) => {
        asked.push(op);
        if (op === 'fetch')
          return Promise.resolve({ columns: ['n'], values: [1, 2], rowCount: 2, done: false });
        return Promise.resolve(1);
      },
    } as unknown as SqliteThread;
    const link = sqliteLink({ connection: { thread, db: 1 }, file: 'x', busyMs: 0 });
    const parts = link.stream({ sql: 'SELECT n', values: [] }, 2);
    for (let taken = 1; taken <= 5; taken += 1) {
      await parts.next();
      await new Promise(setImmediate);
      assert.equal(asked.filter((op) => op === 'fetch').length, taken);
    }
    await parts.return();
    assert.deepEqual(asked.slice(-2), ['release', 'close']);
  });

  it(
    'ends a part early when its rows are large',
    withSession('SQLite', async (session) => {
      const parts = session.useEach(new Scope(), (link) =>
        link.stream({ sql: LARGE.SQLite, values: [] }, 1000),
      );
      const first = await parts.next();
      assert.ok((first.value?.rowCount ?? 100) <= 5, `${String(first.value?.rowCount)} rows of 1 MB`);
      await parts.return();
    }),
  );

  it('does not try row by row what concerns the whole statement', async () => {
    const tried: string[] = [];
    const gone = new Failure('rejected', 'SQL_NO_TABLE', 'Gone.', { reached: false });
    const step = (what: string) => () => Promise.resolve(void tried.push(what));
    const steps: Steps = {
      run: ({ sql }) => {
        tried.push(sql);
        return Promise.reject(gone);
      },
      begin: step('begin'),
      commit: step('commit'),
      rollback: step('rollback'),
      savepoint: step('savepoint'),
      rollbackToSavepoint: step('undo'),
    };
    const chunk = (start: number) => ({
      count: 1000,
      item: (row: number) => start + row,
      statement: (from: number, to: number) => ({ sql: `${from}-${to}`, values: [] }),
    });
    assert.equal((await tolerantly(steps, [chunk(0)])).size, 1000);
    assert.deepEqual(tried.splice(0), ['0-1000']);
    assert.equal((await tolerantly(steps, [chunk(0), chunk(1000)])).size, 2000);
    assert.equal(tried.filter((what) => what === '0-1000').length, 2);
    assert.equal(tried.includes('0-500'), false);
  });

  it(
    'opens the database again when its thread dies, and says that the connection ended',
    withDatabase('SQLite', async (db) => {
      const workers: Worker[] = [];
      const remember = (worker: Worker): void => void workers.push(worker);
      process.on('worker', remember);
      try {
        await db.sql('CREATE TABLE t (id integer)');
        const endless = `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000000) SELECT count(*) FROM c`;
        const running: Promise<Message[]> = db.send({ operation: 'query', sql: endless }, { params: {} });
        const failed = assert.rejects(running, { kind: 'disconnected', code: 'CONNECTION_LOST' });
        await new Promise(setImmediate);
        await workers[0]?.terminate();
        await failed;
        const again = db.node({ operation: 'insert', table: 't', retryStrategy: 'fixed', retryAttempts: 50 });
        await again.send({ payload: { id: 1 } });
        assert.deepEqual(await db.sql('SELECT id FROM t'), [{ id: 1 }]);
        assert.equal(workers.length, 2);
      } finally {
        process.off('worker', remember);
      }
    }),
  );

  it(
    'says that the disk is full, keeps what was stored, and goes on when there is room',
    withSession('SQLite', async (session) => {
      const run = (sql: string) => session.use(new Scope(), (link) => link.run({ sql, values: [] }));
      await run('CREATE TABLE t (id integer, filler blob)');
      await run('INSERT INTO t VALUES (1, NULL)');
      // The limit gives the same error as a full disk: SQLITE_FULL.
      await run('PRAGMA max_page_count = 10');
      const large = [{ sql: 'INSERT INTO t VALUES (2, zeroblob(1000000))', values: [] }];
      const full = (error: unknown): boolean => {
        const failure = classify(error);
        assert.deepEqual([failure.kind, failure.code, failure.reached], ['transient', 'SQL_FULL', false]);
        assert.match(failure.message, /free space/);
        return true;
      };
      await assert.rejects(
        session.use(new Scope(), (link) => link.atomically(large)),
        full,
      );
      const chunk = { count: 1, item: () => 0, statement: () => large[0] ?? { sql: '', values: [] } };
      await assert.rejects(
        session.use(new Scope(), (link) => link.tolerantly([chunk])),
        full,
      );
      await run('PRAGMA max_page_count = 100000');
      await session.use(new Scope(), (link) => link.atomically(large));
      assert.deepEqual((await run('SELECT id FROM t')).rows, [[1], [2]]);
    }),
  );
});
