/** Hostile messages: values, tables and columns that try to become SQL. */
import assert from 'node:assert/strict';
import { NAMES, withDatabase } from './databases.test';

const columns = [
  { name: 'id', type: 'integer', required: true },
  { name: 'name', type: 'text', required: false },
];
const HOSTILE = [
  `x'; DROP TABLE victims; --`,
  `' OR '1'='1`,
  `\\'; DROP TABLE victims; #`,
  `"; DROP TABLE victims; --`,
  `{{{name}}}`,
  `$1 :id ? @p0 \${process.env.PATH}`,
  `a\u0000b`,
];

for (const name of NAMES) {
  describe(`sql against hostile messages on ${name}`, () => {
    it(
      'stores SQL in values as text',
      withDatabase(name, async (db) => {
        const table = db.table();
        const texts = name === 'PostgreSQL' ? HOSTILE.filter((text) => !text.includes('\0')) : HOSTILE;
        const payload = texts.map((text, id) => ({ id, name: text }));
        await db.send({ operation: 'upsert', table, keys: ['id'], createTable: true, columns }, { payload });
        for (const [id, text] of texts.entries()) {
          const found = await db.sql(`SELECT id FROM ${table} WHERE name = :text`, { text });
          assert.deepEqual(found, [{ id }], text);
        }
        const update = { operation: 'update', table, target: 'condition', condition: 'name = :text' };
        const [changed] = await db.send(update, {
          payload: { name: 'new' },
          params: { text: `' OR 1=1 --` },
        });
        assert.equal(changed?.['rowCount'], 0);
      }),
    );

    it(
      'refuses tables that are not on the list, and columns that the table does not have',
      withDatabase(name, async (db) => {
        const table = db.table();
        const other = db.table();
        for (const one of [table, other]) await db.sql(`CREATE TABLE ${one} (id integer, name text)`);
        const node = { operation: 'insert', table, allowedTables: [other] };
        await db.send(node, { table: other, payload: { id: 1 } });
        const tables = [
          `${table}; DROP TABLE ${other}`,
          `${other} `,
          other.toUpperCase(),
          `x"y`,
          'sqlite_master',
          '__proto__',
        ];
        for (const hostile of tables) {
          await assert.rejects(
            db.send(node, { table: hostile, payload: { id: 2 } }),
            { code: 'SQL_TABLE_REFUSED' },
            hostile,
          );
        }
        const names = [
          'id) VALUES (9); --',
          'id" , "name',
          '`id`',
          'name = name',
          '__proto__',
          'constructor',
        ];
        for (const column of names) {
          const payload = JSON.parse(`{"id": 3, ${JSON.stringify(column)}: 1}`) as unknown;
          await assert.rejects(db.send(node, { payload }), { code: 'SQL_UNKNOWN_COLUMN' }, column);
          await assert.rejects(
            db.send({ operation: 'update', table, keys: ['id'] }, { payload }),
            { code: 'SQL_UNKNOWN_COLUMN' },
            column,
          );
        }
        assert.equal((await db.sql(`SELECT * FROM ${table}`)).length, 0);
        assert.equal((await db.sql(`SELECT * FROM ${other}`)).length, 1);
      }),
    );

    it(
      'never changes or deletes without its key',
      withDatabase(name, async (db) => {
        const table = db.table();
        await db.sql(`CREATE TABLE ${table} (id integer, name text)`);
        await db.send({ operation: 'insert', table }, { payload: [{ id: 1 }, { id: 2 }] });
        for (const operation of ['update', 'delete', 'upsert']) {
          for (const payload of [
            { name: 'x' },
            { id: null, name: 'x' },
            { id: undefined, name: 'x' },
            {},
            [],
            null,
            'x',
          ]) {
            if (operation !== 'delete' && Array.isArray(payload)) continue;
            const sent = db.send({ operation, table, keys: ['id'] }, { payload });
            if (Array.isArray(payload)) assert.equal((await sent)[0]?.['rowCount'], 0);
            else
              await assert.rejects(sent, { code: 'BAD_MESSAGE' }, `${operation} ${JSON.stringify(payload)}`);
          }
        }
        assert.deepEqual(
          (await db.sql(`SELECT * FROM ${table} ORDER BY id`)).map((row) => row['name']),
          [null, null],
        );
      }),
    );

    it(
      'takes one statement from a message, not several, and no change of the session',
      withDatabase(name, async (db) => {
        const table = db.table();
        await db.sql(`CREATE TABLE ${table} (id integer)`);
        const stacked = [
          `SELECT 1; DROP TABLE ${table}`,
          'COMMIT',
          `ATTACH 'x.sqlite' AS x`,
          `VACUUM INTO 'x.sqlite'`,
        ];
        for (const sql of stacked) {
          await assert.rejects(
            db.send({ operation: 'transaction' }, { payload: [sql] }),
            { code: 'SQL_SYNTAX' },
            sql,
          );
        }
        for (const payload of [null, 7, [], [{}], [{ sql: {} }], Array(10_001).fill('SELECT 1')]) {
          await assert.rejects(db.send({ operation: 'transaction' }, { payload }), { code: 'BAD_MESSAGE' });
        }
        assert.deepEqual(await db.sql(`SELECT * FROM ${table}`), []);
      }),
    );

    it(
      'gives no row an own prototype',
      withDatabase(name, async (db) => {
        const quoted = name === 'MariaDB' ? '`__proto__`' : '"__proto__"';
        const query = { operation: 'query', sql: `SELECT 1 AS ${quoted}` };
        await assert.rejects(db.send(query, { params: {} }), { code: 'BAD_RESPONSE' });
      }),
    );
  });
}
