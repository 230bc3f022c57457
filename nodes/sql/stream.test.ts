/** Large results in parts: the database is asked for the next part only when the flow asks. */
import assert from 'node:assert/strict';
import { Scope } from '../../lib/core';
import type { Message } from '../../lib/core';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { NAMES, withDatabase, withSession } from './databases.test';
import type { Context } from './operations/context';
import { streamed } from './operations/query';

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

describe('sql streaming at the pace of a flow', () => {
  it(
    'waits for a tick before each further part',
    withDatabase('SQLite', async (db) => {
      const config = { operation: 'query', sql: FIVE, stream: true, partRows: 2, paced: true };
      const { input } = db.node(config);
      const out: Message[] = [];
      const turns = async (count: number) => {
        for (let i = 0; i < count; i += 1) await new Promise(setImmediate);
      };
      const until = async (count: number) => {
        while (out.length < count && !over) await turns(1);
        // Nothing more comes by itself.
        await turns(200);
        assert.equal(out.length, count);
      };
      let over = false;
      const finished = input({ _msgid: 'm', params: {} }, (msg) => out.push(msg)).finally(() => {
        over = true;
      });
      finished.catch(() => {});
      await until(1);
      await input({ tick: true }, () => assert.fail('a tick is no query'));
      await until(2);
      await input({ tick: true, parts: { id: 'm' } }, () => assert.fail('a tick is no query'));
      await finished;
      const rows = out.map((msg) => (msg.payload as { n: number }[]).map((row) => row.n));
      assert.deepEqual(rows, [[1, 2], [3, 4], [5]]);
    }),
  );

  it(
    'closes a result for which no tick comes',
    withSession('SQLite', async (session) => {
      const clock = new VirtualClock();
      const values = {
        sql: COUNTING,
        params: {},
        partRows: 2,
        paced: true,
        tickTimeout: 1000,
        bigIntegers: 'text',
      };
      const call = { attempt: 1, scope: new Scope(), key: 'k' };
      const { chunks } = streamed({ values, session, call, clock } as unknown as Context);
      const parts = chunks[Symbol.asyncIterator]();
      assert.equal((await parts.next()).done, false);
      await clock.advance(999);
      assert.equal((await parts.next()).done, false);
      await clock.advance(1000);
      await assert.rejects(parts.next(), { code: 'SQL_STREAM_EXPIRED' });
    }),
  );
});

const FIVE = 'SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5';
const COUNTING =
  'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) SELECT n FROM c';
