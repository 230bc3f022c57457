/** Messages joined into one transaction, each with its own outcome. */
import assert from 'node:assert/strict';
import { NAMES, withDatabase } from './databases.test';

const columns = [
  { name: 'id', type: 'integer', required: true },
  { name: 'name', type: 'text', required: false },
];

for (const name of NAMES) {
  describe(`sql collecting on ${name}`, () => {
    it(
      'fails one bad row alone, whatever is wrong with it',
      withDatabase(name, async (db) => {
        const table = db.table();
        const create = { operation: 'upsert', table, keys: ['id'], createTable: true, columns };
        await db.send(create, { payload: { id: 250, name: 'already here' } });
        const node = db.node({
          operation: 'insert',
          table,
          collect: true,
          collectWait: '1s',
          collectRows: 300,
        });
        const payloads: unknown[] = Array.from({ length: 300 }, (_, id) => ({ id, name: `row ${id}` }));
        payloads[10] = { id: 9, name: 'twice in one batch' };
        payloads[20] = { id: 20, nothing_here: 1 };
        payloads[30] = 'not a row';
        payloads[40] = { id: 40, name: Number.NaN };
        payloads[50] = { name: 'another shape', id: 50 };
        const outcomes = await Promise.allSettled(payloads.map((payload) => node.send({ payload })));
        const failed = outcomes.flatMap((one, i) =>
          one.status === 'rejected' ? [[i, (one.reason as { code: string }).code]] : [],
        );
        assert.deepEqual(failed, [
          [10, 'SQL_CONSTRAINT'],
          [20, 'SQL_UNKNOWN_COLUMN'],
          [30, 'BAD_MESSAGE'],
          [40, 'BAD_MESSAGE'],
          [250, 'SQL_CONSTRAINT'],
        ]);
        const [count] = await db.sql(`SELECT COUNT(*) AS n FROM ${table}`);
        assert.equal(count?.['n'], 296);
      }),
    );

    it(
      'collects upserts of one key in order',
      withDatabase(name, async (db) => {
        const table = db.table();
        const node = db.node({
          operation: 'upsert',
          table,
          keys: ['id'],
          createTable: true,
          columns,
          collect: true,
        });
        const payloads = Array.from({ length: 40 }, (_, i) => ({ id: i % 3, name: `version ${i}` }));
        await Promise.all(payloads.map((payload) => node.send({ payload })));
        const rows = await db.sql(`SELECT id, name FROM ${table} ORDER BY id`);
        assert.deepEqual(
          rows.map((row) => row['name']),
          ['version 39', 'version 37', 'version 38'],
        );
      }),
    );

    it(
      'fails every message when the table is missing, and works once it exists',
      withDatabase(name, async (db) => {
        const table = db.table();
        const node = db.node({ operation: 'insert', table, collect: true, retryStrategy: 'none' });
        const send = () => Promise.allSettled([1, 2, 3].map((id) => node.send({ payload: { id } })));
        for (const one of await send()) {
          assert.equal(one.status === 'rejected' && (one.reason as { code: string }).code, 'SQL_NO_TABLE');
        }
        await db.sql(`CREATE TABLE ${table} (id integer)`);
        for (const one of await send()) assert.equal(one.status, 'fulfilled');
      }),
    );
  });
}
