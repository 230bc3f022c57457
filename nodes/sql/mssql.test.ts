/** SQL Server without a server: the driver's own Request objects, answered by hand. */
import assert from 'node:assert/strict';
import * as tedious from 'tedious';
import { classify } from './classify';
import { DIALECTS } from './dialects/facts';
import { mssqlLink, type MssqlConnection } from './dialects/mssql';

interface Asked {
  readonly sql: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly type: { readonly name: string };
    readonly value: unknown;
  }[];
}
type Script = (request: Answering, asked: Asked) => void;
interface Answering {
  paused: boolean;
  canceled: boolean;
  emit(event: string, value?: unknown): boolean;
  callback(error: Error | null, rowCount?: number): void;
  once(event: string, listener: () => void): void;
}

function fake(answer: Script): { connection: MssqlConnection; log: string[] } {
  const log: string[] = [];
  const run = (request: unknown): void => {
    const made = request as Answering & { sqlTextOrProcedure: string; parameters: Asked['parameters'] };
    log.push(made.sqlTextOrProcedure);
    setImmediate(() => {
      if (/TRANSACTION/.test(made.sqlTextOrProcedure)) made.callback(null, 0);
      else answer(made, { sql: made.sqlTextOrProcedure, parameters: made.parameters });
    });
  };
  return { connection: { execSql: run, execSqlBatch: run }, log };
}

const cell = (colName: string, type: string, value: unknown, more: object = {}) => ({
  value,
  metadata: { colName, type: { name: type }, ...more },
});
const row = (request: Answering, ...cells: object[]): void => {
  request.emit(
    'columnMetadata',
    cells.map((one) => (one as ReturnType<typeof cell>).metadata),
  );
  request.emit('row', cells);
};

describe('sql on SQL Server', () => {
  it('sends each value with a type that holds it', async () => {
    const seen: unknown[] = [];
    const { connection } = fake((request, asked) => {
      seen.push(...asked.parameters.map(({ name, type }) => `${name} ${type.name}`));
      request.callback(null, 1);
    });
    const values = [1, 2 ** 40, 1.5, true, 'text', new Date(0), Buffer.from('x'), null];
    const result = await mssqlLink(connection, tedious).run({ sql: 'INSERT', values });
    assert.equal(result.rowCount, 1);
    assert.deepEqual(seen, [
      'p0 Int',
      'p1 BigInt',
      'p2 Float',
      'p3 Bit',
      'p4 NVarChar',
      'p5 DateTime2',
      'p6 VarBinary',
      'p7 NVarChar',
    ]);
  });

  it('reads exact values, and refuses digits that the driver lost', async () => {
    const { connection } = fake((request, { sql }) => {
      const precision = sql === 'wide' ? 38 : 10;
      const big = cell('id', 'BigInt', '9007199254740993');
      row(
        request,
        big,
        cell('price', 'DecimalN', 1.5, { precision, scale: 2 }),
        cell('at', 'DateTime2', new Date(0)),
      );
      request.callback(null, 1);
    });
    const link = mssqlLink(connection, tedious);
    const { columns, rows } = await link.run({ sql: 'narrow', values: [] });
    assert.deepEqual(columns, ['id', 'price', 'at']);
    assert.deepEqual(rows, [[9007199254740993n, '1.50', '1970-01-01T00:00:00.000Z']]);
    await assert.rejects(link.run({ sql: 'wide', values: [] }), { code: 'SQL_VALUE' });
  });

  it('rolls back what a query that only reads might have written', async () => {
    const { connection, log } = fake((request) => request.callback(null, 0));
    await mssqlLink(connection, tedious).read({ sql: 'SELECT 1', values: [] });
    assert.deepEqual(log, ['BEGIN TRANSACTION', 'SELECT 1', 'IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION']);
  });

  it('reads in parts, pausing the server in between', async () => {
    let pauses = 0;
    const { connection } = fake((request) => {
      const send = (n: number): void => {
        if (n > 5) return request.callback(null, 5);
        row(request, cell('n', 'Int', n));
        if (!request.paused) return send(n + 1);
        pauses += 1;
        request.once('resume', () => send(n + 1));
      };
      send(1);
    });
    const parts: unknown[] = [];
    for await (const part of mssqlLink(connection, tedious).stream({ sql: 'SELECT', values: [] }, 2)) {
      parts.push(part.rows.map((cells) => cells[0]));
    }
    assert.deepEqual(parts, [[1, 2], [3, 4], [5]]);
    assert.equal(pauses, 2);
  });

  it('writes an upsert as MERGE, with brackets that cannot be closed from inside', () => {
    const sql = DIALECTS.mssql.upsert({
      table: DIALECTS.mssql.quote('t]x'),
      columns: ['id', 'a]'],
      tuples: '(@p0, @p1)',
      conflict: { keys: ['id'], action: 'update' },
    });
    assert.equal(
      sql,
      'MERGE [t]]x] WITH (HOLDLOCK) AS t USING (VALUES (@p0, @p1)) AS s ([id], [a]]]) ON t.[id] = s.[id]' +
        ' WHEN MATCHED THEN UPDATE SET t.[a]]] = s.[a]]] WHEN NOT MATCHED THEN INSERT ([id], [a]]]) VALUES (s.[id], s.[a]]]);',
    );
  });

  it('names the errors of its driver', () => {
    const named = (name: string, code: string, number: number) =>
      classify(Object.assign(new Error('why'), { name, code, number }));
    const cases: [string, string, number, string, string][] = [
      ['RequestError', 'EREQUEST', 2627, 'rejected', 'SQL_CONSTRAINT'],
      ['RequestError', 'EREQUEST', 1205, 'transient', 'SQL_CONFLICT'],
      ['RequestError', 'EREQUEST', 208, 'rejected', 'SQL_NO_TABLE'],
      ['RequestError', 'EREQUEST', 102, 'rejected', 'SQL_SYNTAX'],
      ['ConnectionError', 'ELOGIN', 18456, 'auth', 'AUTH_FAILED'],
      ['ConnectionError', 'ESOCKET', 0, 'disconnected', 'CONNECTION_LOST'],
      ['ConnectionError', 'ETIMEOUT', 0, 'disconnected', 'CONNECTION_TIMEOUT'],
    ];
    for (const [name, code, number, kind, expected] of cases) {
      const failure = named(name, code, number);
      assert.deepEqual([failure.kind, failure.code], [kind, expected], `${name} ${code} ${number}`);
    }
  });
});
