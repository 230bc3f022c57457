/** Update and delete. Neither ever runs without a WHERE unless the node says "Every row". */
import { Failure } from '../../../lib/core';
import type { Patch } from '../../../lib/roles';
import { bindValue } from '../dialects/values';
import type { Dialect, Statement } from '../dialects/types';
import { bind } from '../engine/bind';
import { checkTable } from '../engine/names';
import { scan } from '../engine/scan';
import { deleteText, keysText, updateText } from '../engine/texts';
import type { Context } from './context';
import { addRow, checkRun, type Run } from './rows';
import { keyIndex, keyMissing, rowsOf } from './write';

export async function change(ctx: Context): Promise<Patch> {
  const { values, session, prepared, call } = ctx;
  checkTable(values.table, prepared.config.table, prepared.config.allowedTables);
  const statements =
    values.operation === 'delete' && values.target !== 'keys' ? [deleteMany(ctx)] : await fromRows(ctx);
  const changed = await session.use(call.scope, (link) => link.atomically(statements));
  return { rowCount: changed };
}

function deleteMany({ values, session }: Context): Statement {
  const sql = deleteText(values.table, session.dialect);
  return values.target === 'all' ? { sql, values: [] } : where({ sql, values: [] }, values, session.dialect);
}

async function fromRows(ctx: Context): Promise<Statement[]> {
  const { values, session, prepared, call } = ctx;
  const runs: Run[] = [];
  for (const row of rowsOf(values.rows)) addRow(runs, prepared.reader, row, 0);
  const drop = values.operation === 'delete' || values.unknownColumns === 'drop';
  const checked = prepared.checksColumns
    ? await session
        .columns(values.table, call.scope)
        .then((known) => runs.map((run) => checkRun(run, known, values.table, drop)))
    : runs;
  const rows = checked.flatMap(rowsOfRun);
  if (values.target !== 'keys' && rows.length !== 1) {
    throw bad('An update by condition takes exactly one row of new values.');
  }
  return rows.map((row) => (values.operation === 'delete' ? deleteOne(row, ctx) : updateOne(row, ctx)));
}

interface Row {
  readonly columns: readonly string[];
  readonly values: readonly unknown[];
}

function rowsOfRun({ columns, values, items }: Run): Row[] {
  return items.map((_, i) => ({
    columns,
    values: values.slice(i * columns.length, (i + 1) * columns.length),
  }));
}

function updateOne(row: Row, { values, session }: Context): Statement {
  const { dialect } = session;
  const keys = values.target === 'keys' ? keyCells(row, values.keys) : [];
  const cells = row.columns.flatMap((column, i) =>
    keys.some((key) => key.index === i) ? [] : [{ column, value: row.values[i] }],
  );
  if (cells.length === 0) throw bad('An update needs at least one column besides the key.');
  const update: Statement = {
    sql: updateText(
      values.table,
      cells.map((cell) => cell.column),
      dialect,
    ),
    values: cells.map((cell) => bindValue(cell.value, dialect.name)),
  };
  if (values.target === 'all') return update;
  return values.target === 'condition' ? where(update, values, dialect) : byKey(update, keys, dialect);
}

function deleteOne(row: Row, { values, session }: Context): Statement {
  const empty: Statement = { sql: deleteText(values.table, session.dialect), values: [] };
  return byKey(empty, keyCells(row, values.keys), session.dialect);
}

interface KeyCell {
  readonly name: string;
  readonly index: number;
  readonly value: unknown;
}

function keyCells(row: Row, keys: readonly string[]): KeyCell[] {
  return keys.map((name) => {
    const index = keyIndex(row.columns, name);
    const value = row.values[index];
    if (index < 0 || value === undefined || value === null) throw keyMissing(keys);
    return { name, index, value };
  });
}

function byKey(head: Statement, keys: readonly KeyCell[], dialect: Dialect): Statement {
  return {
    sql:
      head.sql +
      keysText(
        keys.map((key) => key.name),
        dialect,
        head.values.length,
      ),
    values: [...head.values, ...keys.map((key) => bindValue(key.value, dialect.name))],
  };
}

function where(head: Statement, values: Context['values'], dialect: Dialect): Statement {
  const condition = bind(scan(values.condition, dialect.name), values.params, dialect, head.values.length);
  return { sql: `${head.sql} WHERE (${condition.sql}\n)`, values: [...head.values, ...condition.values] };
}

function bad(message: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', message, { reached: false });
}
