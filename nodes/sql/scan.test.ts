/** Where values stand in a SQL text, and what a text must not hold. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DIALECTS } from './dialects/facts';
import type { DialectName } from './dialects/types';
import { bind } from './engine/bind';
import { scan } from './engine/scan';

const bound = (sql: string, dialect: DialectName, params: unknown) =>
  bind(scan(sql, dialect), params, DIALECTS[dialect]);

describe('sql text', () => {
  it('finds placeholders outside strings, identifiers and comments only', () => {
    const cases: [DialectName, string, string[]][] = [
      ['sqlite', `SELECT ':a', ":b", [:c], \`:d\`, 'it''s :e' -- :f\n /* :g */ FROM t WHERE x = :h`, ['h']],
      ['postgres', `SELECT $$ :a $$, $x$ :b $$ $x$, E'\\' :c', 'a\\', :d::int, y[1:2]`, ['d']],
      ['postgres', `SELECT /* one /* two */ :a */ :b`, ['b']],
      ['sqlite', `SELECT /* one /* two */ :a`, ['a']],
      ['mysql', `SELECT 'it\\'s :a', "\\" :b" # :c\n , :d`, ['d']],
      ['mysql', `SELECT 5--:a, 6 -- :b`, ['a']],
      ['postgres', `SELECT 1 -- :a\r, :b`, ['b']],
      ['mssql', `SELECT [a]]:b], N':c' WHERE t = '12:30:00' AND x=:d`, ['d']],
    ];
    for (const [dialect, sql, names] of cases) assert.deepEqual(scan(sql, dialect).slots, names, sql);
  });

  it('numbers placeholders as each database wants them', () => {
    const params = { a: 1, b: 'two' };
    const sql = 'SELECT :a, :b, :a';
    assert.deepEqual(bound(sql, 'sqlite', params), { sql: 'SELECT ?, ?, ?', values: [1, 'two', 1] });
    assert.deepEqual(bound(sql, 'postgres', params), { sql: 'SELECT $1, $2, $1', values: [1, 'two'] });
    assert.deepEqual(bound(sql, 'mssql', params), { sql: 'SELECT @p0, @p1, @p0', values: [1, 'two'] });
    assert.deepEqual(bound('SELECT ?, ?', 'mysql', [true, null]), { sql: 'SELECT ?, ?', values: [1, null] });
    assert.deepEqual(bound('SELECT $2, $1', 'postgres', [1, 2]), { sql: 'SELECT $1, $2', values: [2, 1] });
    assert.deepEqual(bound(`SELECT doc \\? 'key'`, 'postgres', {}), {
      sql: `SELECT doc ? 'key'`,
      values: [],
    });
    assert.deepEqual(bound('SELECT = ANY(:ids)', 'postgres', { ids: [1, true] }).values, [[1, true]]);
  });

  it('refuses several statements, changes of the session, and quotes that do not end', () => {
    const refused = [
      'SELECT 1; DROP TABLE t',
      'SELECT 1;;SELECT 2',
      `SELECT 1; -- x\nDROP TABLE t`,
      'BEGIN',
      'commit',
      `  /* x */ ATTACH 'x' AS y`,
      'PRAGMA journal_mode = OFF',
      'SET x = 1',
      `SELECT 'open`,
      'SELECT /* open',
      '',
      ' -- only a comment',
    ];
    for (const sql of refused)
      assert.throws(() => scan(sql, 'sqlite'), { code: 'SQL_SYNTAX', reached: false }, sql);
    assert.throws(() => scan('SELECT 1 /*! ; DROP TABLE t */', 'mysql'), /executable comment/);
    assert.deepEqual(scan('SELECT 1 ; -- done\n', 'sqlite').slots, []);
  });

  it('sees a change of the session behind whatever the database skips', () => {
    const hidden: [DialectName, string][] = [
      ['sqlite', `\uFEFFATTACH 'x.sqlite' AS x`],
      ['sqlite', `ATTACH\uFEFF'x.sqlite' AS x`],
      ['postgres', `-- \rCOMMIT /*\nSELECT */`],
      ['postgres', `PREPARE TRANSACTION 'x'`],
      ['mysql', `EXECUTE IMMEDIATE 'COMMIT'`],
      ['mysql', `PREPARE s FROM 'COMMIT'`],
      ['mysql', `XA START 'x'`],
      ['mssql', `\u00A0SET NOCOUNT ON`],
    ];
    for (const [dialect, sql] of hidden)
      assert.throws(() => scan(sql, dialect), { code: 'SQL_SYNTAX' }, JSON.stringify(sql));
    assert.deepEqual(scan('EXECUTE plant.next_order :id', 'mssql').slots, ['id']);
  });

  it('asks for every value and never takes one from a prototype', () => {
    assert.throws(() => bound('SELECT :a', 'sqlite', {}), /:a.*null stands for NULL/);
    assert.throws(() => bound('SELECT :constructor', 'sqlite', {}), { code: 'BAD_MESSAGE' });
    assert.throws(() => bound('SELECT :toString', 'sqlite', { a: 1 }), { code: 'BAD_MESSAGE' });
    assert.throws(() => bound('SELECT ?, ?', 'sqlite', [1]), /2 values instead of 1/);
    assert.throws(() => bound('SELECT ?', 'sqlite', undefined), /an array of values/);
  });

  it('keeps every text that it accepts, apart from placeholders and the closing semicolon', () => {
    const piece = fc.constantFrom(
      `'a'`,
      `"b"`,
      ':c',
      '--d\n',
      '/*e*/',
      ' ',
      'f',
      '(',
      ')',
      '1',
      `'`,
      `"`,
      '::g',
      '[',
      ']',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const sql = `SELECT ${pieces.join('')}`;
        let scanned;
        try {
          scanned = scan(sql, 'postgres');
        } catch {
          return;
        }
        const rebuilt = scanned.texts
          .map((text, i) => text + (i < scanned.slots.length ? `:${scanned.slots[i]}` : ''))
          .join('');
        assert.equal(rebuilt, sql);
      }),
    );
  });
});
