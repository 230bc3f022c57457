/** Large results in parts: the database is asked for the next part only when the flow asks. */
import assert from 'node:assert/strict';
import { Scope } from '../../lib/core';
import type { Message } from '../../lib/core';
import { DIALECTS } from './dialects/facts';
import type { Session } from './engine/session';
import { NAMES, settingsOf, withDatabase, type DatabaseName } from './databases.test';
import { openSession } from './engine/drivers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '../../lib/core';

const ROWS = 2500;
const columns = [{ name: 'id', type: 'integer', required: true }];

for (const name of NAMES) {
  describe(`sql streaming on ${name}`, () => {
    it(
      'sends every row in parts that carry msg.parts',
      withDatabase(name, async (db) => {
        const table = db.table();
        const payload = Array.from({ length: ROWS }, (_, id) => ({ id }));
        await db.send({ operation: 'insert', table, createTable: true, columns }, { payload });
        const query = { operation: 'query', sql: `SELECT id FROM ${table} WHERE id >= :from ORDER BY id` };
        const stream = { ...query, stream: true, partRows: 1000, paced: false };
        const out = await db.send(stream, { params: { from: 0 } });
        const rows = out.flatMap((msg) =>
          Array.isArray(msg.payload) ? (msg.payload as { id: number }[]) : [],
        );
        assert.deepEqual(
          rows.map((row) => row.id),
          payload.map((row) => row.id),
        );
        assert.deepEqual(out.filter((msg) => msg['rowCount'] === 1000).length, 2);
        assert.ok(out.at(-1)?.['complete']);
      }),
    );

    it(
      'reads no further than it is asked, and frees the connection when it is left',
      withSession(name, async (session) => {
        const rows = name === 'MariaDB' ? 'SELECT seq AS n FROM seq_1_to_100000' : COUNTING;
        const statement = { sql: rows, values: [] };
        // More unfinished streams than connections would hang here if one were not given back.
        for (let i = 0; i < 4; i += 1) {
          const parts = session.useEach(new Scope(), (link) => link.stream(statement, 10));
          const first = await parts.next();
          assert.deepEqual(
            first.value?.rows.map((row) => Number(row[0])),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
          );
          const second = await parts.next();
          assert.equal(Number(second.value?.rows[0]?.[0]), 11);
          await parts.return();
        }
        const again = await session.use(new Scope(), (link) => link.run({ sql: 'SELECT 1', values: [] }));
        assert.equal(again.rows.length, 1);
      }),
    );

    it(
      'ends with the scope',
      withSession(name, async (session) => {
        const scope = new Scope();
        const parts = session.useEach(scope, (link) => link.stream({ sql: 'SELECT 1', values: [] }, 10));
        scope.abort();
        await assert.rejects(parts.next(), { kind: 'cancelled' });
      }),
    );
  });
}

describe('sql streaming', () => {
  it(
    'waits for a tick before each further part',
    withDatabase('SQLite', async (db) => {
      const node = db.node({ operation: 'query', sql: COUNTING, stream: true, partRows: 2, paced: true });
      const out: Message[] = [];
      const { node: role } = db.harness.adapter as never as { node: never };
      void role;
      void out;
      void node;
    }),
  );
});

const COUNTING =
  'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) SELECT n FROM c';

function withSession(name: DatabaseName, test: (session: Session) => Promise<void>): () => Promise<void> {
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
      host: String(connection['host'] ?? ''),
      port: Number(connection['port'] ?? 0),
      database: String(connection['database'] ?? ''),
      user: String(connection['username'] ?? ''),
      auth: {
        kind: 'basic',
        username: '',
        password: String(secrets['password'] ?? ''),
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
