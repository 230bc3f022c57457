/** One contract for every database: what a message stores is what a message reads. */
import assert from 'node:assert/strict';
import type { RawConfig } from '../../lib/spec';
import { NAMES, withDatabase, type Database } from './databases.test';

const COLUMNS = [
  { name: 'id', type: 'integer', required: true },
  { name: 'name', type: 'text', required: false },
  { name: 'amount', type: 'number', required: false },
  { name: 'price', type: 'decimal', required: false },
  { name: 'active', type: 'boolean', required: false },
  { name: 'made', type: 'time', required: false },
  { name: 'more', type: 'json', required: false },
  { name: 'raw', type: 'binary', required: false },
];
const upsert = (table: string): RawConfig => ({
  operation: 'upsert',
  table,
  keys: ['id'],
  createTable: true,
  columns: COLUMNS,
});
const all = (db: Database, table: string) => db.sql(`SELECT * FROM ${table} ORDER BY id`);

for (const name of NAMES) {
  describe(`sql on ${name}`, () => {
    it(
      'creates a table, inserts, updates and deletes rows',
      withDatabase(name, async (db) => {
        const table = db.table();
        const [first] = await db.send(upsert(table), {
          payload: [
            { id: 1, name: 'a' },
            { id: 2, name: 'b' },
          ],
        });
        assert.equal(first?.['rowCount'], 2);
        await db.send(upsert(table), { payload: { id: 2, name: 'B' } });
        await db.send({ ...upsert(table), onConflict: 'ignore' }, { payload: { id: 1, name: 'kept out' } });
        const [updated] = await db.send(
          { operation: 'update', table, keys: ['id'] },
          { payload: { id: 1, name: 'A', amount: 1.5 } },
        );
        assert.equal(updated?.['rowCount'], 1);
        assert.deepEqual(
          (await all(db, table)).map((row) => [row['id'], row['name'], row['amount']]),
          [
            [1, 'A', 1.5],
            [2, 'B', null],
          ],
        );
        const condition = { target: 'condition', condition: 'id > :above' };
        const [changed] = await db.send(
          { operation: 'update', table, ...condition },
          { payload: { amount: 7 }, params: { above: 1 } },
        );
        assert.equal(changed?.['rowCount'], 1);
        await db.send({ operation: 'delete', table, keys: ['id'] }, { payload: { id: 1 } });
        assert.deepEqual(
          (await all(db, table)).map((row) => [row['id'], row['amount']]),
          [[2, 7]],
        );
        await db.send({ operation: 'delete', table, ...condition }, { payload: null, params: { above: 0 } });
        assert.deepEqual(await all(db, table), []);
      }),
    );

    it(
      'returns 64-bit integers, decimals, times, binary and text without a change',
      withDatabase(name, async (db) => {
        const table = db.table();
        const row = {
          id: 9007199254740993n,
          name: `zażółć 🏭 'quoted' "double" \\back\\ \`tick\` ; -- no`,
          amount: 0.1,
          price: '12345678901234567890.1234567890',
          active: true,
          made: new Date('2026-03-29T01:30:00.123Z'),
          more: { nested: [1, 'two', null] },
          raw: Buffer.from([0, 255, 39, 92]),
        };
        await db.send(upsert(table), { payload: row });
        const [read] = await all(db, table);
        assert.ok(read);
        assert.equal(read['id'], '9007199254740993');
        assert.equal(read['name'], row.name);
        assert.equal(read['amount'], 0.1);
        assert.equal(read['price'], row.price);
        assert.equal(Number(read['active']), 1);
        assert.equal(Date.parse(`${String(read['made']).replace('Z', '')}Z`), row.made.getTime());
        const more = read['more'];
        assert.deepEqual(typeof more === 'string' ? JSON.parse(more) : more, row.more);
        assert.ok(Buffer.isBuffer(read['raw']));
        assert.deepEqual([...read['raw']], [...row.raw]);
        const [big] = await db.send(
          { operation: 'query', sql: `SELECT id FROM ${table} WHERE id = :id`, bigIntegers: 'bigint' },
          { params: { id: row.id } },
        );
        assert.deepEqual(big?.payload, [{ id: row.id }]);
        await db.send(upsert(table), { payload: { id: 5, name: null } });
        const [, empty] = (await all(db, table)).reverse();
        assert.deepEqual(Object.values(empty ?? {}).slice(1), [null, null, null, null, null, null, null]);
      }),
    );

    it(
      'refuses numbers that no database holds, and names what was wrong',
      withDatabase(name, async (db) => {
        const table = db.table();
        for (const amount of [NaN, Infinity, Symbol('x'), new Date(NaN)]) {
          await assert.rejects(db.send(upsert(table), { payload: { id: 1, amount } }), {
            code: 'BAD_MESSAGE',
          });
        }
        assert.deepEqual(await all(db, table), []);
      }),
    );

    it(
      'writes an array as one transaction: one bad row undoes all',
      withDatabase(name, async (db) => {
        const table = db.table();
        await db.send(upsert(table), { payload: { id: 700 } });
        const rows = Array.from({ length: 1500 }, (_, i) => ({ id: i, name: `row ${i}` }));
        await assert.rejects(db.send({ operation: 'insert', table }, { payload: rows }), {
          kind: 'rejected',
          code: 'SQL_CONSTRAINT',
        });
        assert.equal((await all(db, table)).length, 1);
        await db.send({ operation: 'delete', table, target: 'all' }, {});
        const [out] = await db.send({ operation: 'insert', table }, { payload: rows });
        assert.equal(out?.['rowCount'], 1500);
        assert.equal((await all(db, table)).length, 1500);
      }),
    );

    it(
      'writes rows of different shapes in one array, in order',
      withDatabase(name, async (db) => {
        const table = db.table();
        const payload = [{ id: 1, name: 'a' }, { id: 2 }, { name: 'c', id: 3 }, { id: 1, name: 'again' }];
        await db.send(upsert(table), { payload });
        assert.deepEqual(
          (await all(db, table)).map((row) => [row['id'], row['name']]),
          [
            [1, 'again'],
            [2, null],
            [3, 'c'],
          ],
        );
      }),
    );

    it(
      'runs a transaction whole or not at all',
      withDatabase(name, async (db) => {
        const table = db.table();
        await db.send(upsert(table), { payload: { id: 1 } });
        const insert = `INSERT INTO ${table} (id) VALUES (:id)`;
        const [out] = await db.send(
          { operation: 'transaction' },
          { payload: [{ sql: insert, params: { id: 2 } }, `SELECT id FROM ${table} ORDER BY id`] },
        );
        assert.deepEqual(out?.payload, [
          { rows: [], rowCount: 1 },
          { rows: [{ id: 1 }, { id: 2 }], rowCount: 2 },
        ]);
        const bad = [
          { sql: insert, params: { id: 3 } },
          { sql: insert, params: { id: 1 } },
        ];
        await assert.rejects(db.send({ operation: 'transaction' }, { payload: bad }), (error: Error) => {
          assert.match(error.message, /^Statement 2, all undone: .*refused the row/);
          assert.equal((error as { reached?: boolean }).reached, false);
          return true;
        });
        assert.equal((await all(db, table)).length, 2);
      }),
    );

    it(
      'names the error: syntax, missing table, missing column, constraint, wrong type',
      withDatabase(name, async (db) => {
        const table = db.table();
        await db.send(upsert(table), { payload: { id: 1 } });
        const cases: [string, RawConfig, unknown][] = [
          ['SQL_SYNTAX', { operation: 'query', sql: 'SELEC 1' }, {}],
          ['SQL_NO_TABLE', { operation: 'query', sql: 'SELECT * FROM hf_nowhere' }, {}],
          ['SQL_NO_TABLE', { operation: 'insert', table: 'hf_nowhere' }, { id: 1 }],
          ['SQL_UNKNOWN_COLUMN', { operation: 'query', sql: `SELECT nothing_here FROM ${table}` }, {}],
          ['SQL_UNKNOWN_COLUMN', { operation: 'insert', table }, { id: 2, nothing_here: 1 }],
          ['SQL_CONSTRAINT', { operation: 'insert', table }, { id: 1 }],
        ];
        // SQLite numbers a row without an id itself, and stores any value in any column.
        if (name !== 'SQLite') {
          cases.push(['SQL_CONSTRAINT', { operation: 'insert', table }, { id: null }]);
          cases.push(['SQL_VALUE', { operation: 'insert', table }, { id: 'not a number' }]);
        }
        for (const [code, config, payload] of cases) {
          await assert.rejects(
            db.send(config, { payload, params: {} }),
            { kind: 'rejected', code },
            JSON.stringify(config),
          );
        }
        await db.send(
          { operation: 'insert', table, unknownColumns: 'drop' },
          { payload: { id: 2, nothing_here: 1 } },
        );
        assert.equal((await all(db, table)).length, 2);
      }),
    );

    it(
      'lets a query that reads only change nothing',
      withDatabase(name, async (db) => {
        const table = db.table();
        await db.send(upsert(table), { payload: { id: 1 } });
        const write = { operation: 'query', sql: `DELETE FROM ${table}` };
        await assert.rejects(db.send(write, { params: {} }), { code: 'SQL_READ_ONLY' });
        assert.equal((await all(db, table)).length, 1);
        const [out] = await db.send({ ...write, access: 'write' }, { params: {} });
        assert.equal(out?.['rowCount'], 1);
      }),
    );

    it(
      'stores Readings without a function node',
      withDatabase(name, async (db) => {
        const table = db.table();
        const reading = (tag: string, value: unknown, quality = 'good') => ({
          tag,
          value,
          quality,
          status: quality === 'good' ? '' : 'TIMEOUT',
          sourceTime: '2026-01-02T03:04:05.678Z',
          receivedTime: '2026-01-02T03:04:06.000Z',
          unit: '°C',
        });
        const payload = [reading('t1', 21.5), reading('t2', true), reading('t3', null, 'bad')];
        const node = { operation: 'insert', table, rowsFrom: 'readings', createTable: true };
        await db.send(node, { payload });
        const rows = await db.sql(`SELECT * FROM ${table} ORDER BY tag`);
        assert.deepEqual(
          rows.map((row) => [row['tag'], row['value'], row['quality'], row['status'], row['unit']]),
          [
            ['t1', 21.5, 'good', '', '°C'],
            ['t2', 1, 'good', '', '°C'],
            ['t3', null, 'bad', 'TIMEOUT', '°C'],
          ],
        );
        assert.match(String(rows[0]?.['source_time']), /^2026-01-02T03:04:05\.678/);
        await assert.rejects(db.send(node, { payload: { plain: 1 } }), /must be a Reading/);
      }),
    );

    it(
      'maps columns from paths',
      withDatabase(name, async (db) => {
        const table = db.table();
        const mapping = [
          { column: 'id', path: 'meta.number', as: 'same' },
          { column: 'made', path: 'at', as: 'time' },
          { column: 'more', path: 'meta', as: 'json' },
        ];
        await db.send(
          { ...upsert(table), rowsFrom: 'mapping', mapping },
          { payload: { at: 0, meta: { number: 4 } } },
        );
        const [row] = await all(db, table);
        assert.equal(row?.['id'], 4);
        assert.match(String(row?.['made']), /^1970-01-01T00:00:00/);
      }),
    );
  });
}
