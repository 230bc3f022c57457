/** Insert and upsert: one message, or several joined, as few statements in one transaction. */
import { Failure } from '../../../lib/core';
import type { CollectItem, Outcome, Patch } from '../../../lib/roles';
import { classify } from '../classify';
import { bindValue } from '../dialects/values';
import type { Chunk, Dialect } from '../dialects/types';
import { checkTable } from '../engine/names';
import type { RowsText, Texts } from '../engine/texts';
import type { Context, JointContext } from './context';
import { ensureTable } from './create-table';
import type { SqlFields } from './fields';
import type { Values } from './plan';
import { addRow, checkRun, type Run } from './rows';

export async function write(ctx: Context): Promise<Patch> {
  const { values, session, prepared, call } = ctx;
  const rows = rowsOf(values.rows);
  if (rows.length === 0) return { rowCount: 0 };
  const runs: Run[] = [];
  for (const row of rows) addRow(runs, prepared.reader, row, 0);
  const statements = (await chunksOf(ctx, values, runs)).map((chunk) => chunk.statement(0, chunk.count));
  const changed = await session
    .use(call.scope, (link) => link.atomically(statements))
    .catch((error: unknown) => {
      noticeGone(error, ctx, values.table);
      throw error;
    });
  return { rowCount: values.operation === 'insert' ? changed : rows.length };
}

/** Every item gets its own outcome; what concerns all of them is thrown. */
export async function writeTogether(
  items: readonly CollectItem<SqlFields>[],
  ctx: JointContext,
): Promise<readonly Outcome[]> {
  const values = items[0]?.values;
  if (!values) return [];
  const failed = new Map<number, unknown>();
  const runs: Run[] = [];
  items.forEach((item, i) => {
    try {
      addRow(runs, ctx.prepared.reader, item.values.rows, i);
    } catch (error) {
      failed.set(i, error);
    }
  });
  const chunks: Chunk[] = [];
  for (const run of runs) {
    try {
      chunks.push(...(await chunksOf(ctx, values, [run], failed)));
    } catch (error) {
      // A table that is missing or out of reach is everybody's failure.
      if (!(error instanceof RunFailure)) throw error;
      for (const item of run.items) failed.set(item, error.failure);
    }
  }
  const refused = await ctx.session.use(ctx.call.scope, (link) => link.tolerantly(chunks));
  for (const error of new Set(refused.values())) noticeGone(error, ctx, values.table);
  return items.map((_, i): Outcome => {
    const error = refused.get(i) ?? failed.get(i);
    return error === undefined ? DONE : { ok: false, error };
  });
}
/** Somebody dropped the table while the connection stayed open. */
function noticeGone(error: unknown, { session }: JointContext, table: string): void {
  if (classify(error).code === 'SQL_NO_TABLE') session.forgetCreated(table);
}
const DONE: Outcome = { ok: true, patch: { rowCount: 1 } };

/** A run whose columns were refused; other runs of the same call may go on. */
class RunFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

async function chunksOf(
  ctx: JointContext,
  values: Values,
  runs: readonly Run[],
  failed?: Map<number, unknown>,
): Promise<Chunk[]> {
  const { session, prepared, call } = ctx;
  const { config } = prepared;
  checkTable(values.table, config.table, config.allowedTables);
  if (config.createTable) await ensureTable(session, prepared, values.table, call.scope);
  const checked = await checkedRuns(ctx, values, runs, failed !== undefined);
  return checked.flatMap((run) => {
    const bound = bindRun(run, session.dialect, prepared.conflict?.keys ?? [], failed);
    return splitRun(bound, prepared.shape(values.table, bound.columns), session.dialect, session.texts);
  });
}

async function checkedRuns(
  ctx: JointContext,
  values: Values,
  runs: readonly Run[],
  joint: boolean,
): Promise<readonly Run[]> {
  const { session, prepared, call } = ctx;
  if (!prepared.checksColumns) return runs;
  const { table } = values;
  const drop = values.unknownColumns === 'drop';
  let known = await session.columns(table, call.scope);
  if (runs.some((run) => known.refuse(run.columns, table))) {
    // Perhaps the column is new.
    session.forget(table);
    known = await session.columns(table, call.scope);
  }
  try {
    return runs.map((run) => checkRun(run, known, table, drop));
  } catch (error) {
    if (joint && error instanceof Failure) throw new RunFailure(error);
    throw error;
  }
}

/** Values in the driver's form. A row that cannot be bound fails alone when `failed` takes it. */
function bindRun(
  run: Run,
  { name }: Dialect,
  keys: readonly string[],
  failed: Map<number, unknown> | undefined,
): Run {
  const width = run.columns.length;
  const keyIndexes = keys.map((key) => keyIndex(run.columns, key));
  const values: unknown[] = [];
  const items: number[] = [];
  run.items.forEach((item, row) => {
    const start = values.length;
    try {
      for (let i = row * width; i < (row + 1) * width; i += 1) values.push(bindValue(run.values[i], name));
      if (keyIndexes.some((i) => i < 0 || (values[start + i] ?? null) === null)) throw keyMissing(keys);
      items.push(item);
    } catch (error) {
      if (!failed) throw error;
      values.length = start;
      failed.set(item, error);
    }
  });
  return { columns: run.columns, values, items };
}

export function keyIndex(columns: readonly string[], key: string): number {
  const exact = columns.indexOf(key);
  return exact >= 0 ? exact : columns.findIndex((column) => column.toLowerCase() === key.toLowerCase());
}

export function keyMissing(keys: readonly string[]): Failure {
  const message = `Each row must hold a value for the key: ${keys.join(', ')}. Without it another row, or every row, could be meant.`;
  return new Failure('rejected', 'BAD_MESSAGE', message, { reached: false });
}

function splitRun(run: Run, shape: RowsText, dialect: Dialect, texts: Texts): Chunk[] {
  const width = run.columns.length;
  const { conflict } = shape;
  const single = dialect.oneRowPerKey && conflict !== undefined;
  const parts = single ? partsByKey(run, conflict.keys) : [run];
  return parts.flatMap((part) => {
    let start = 0;
    return dialect.sizes(part.items.length, width).map((count): Chunk => {
      const first = start;
      start += count;
      return {
        count,
        item: (row) => part.items[first + row] ?? 0,
        statement: (from, to) => ({
          sql: texts.insert(shape, to - from),
          values: part.values.slice((first + from) * width, (first + to) * width),
        }),
      };
    });
  });
}

/** One statement may not meet a key twice here, so a repeated key begins a new statement; order is kept. */
function partsByKey(run: Run, keys: readonly string[]): Run[] {
  const width = run.columns.length;
  const indexes = keys.map((key) => keyIndex(run.columns, key));
  const parts: Run[] = [];
  let seen = new Set<string>();
  run.items.forEach((item, row) => {
    const key = JSON.stringify(indexes.map((i) => String(run.values[row * width + i])));
    let part = parts.at(-1);
    if (!part || seen.has(key)) {
      seen = new Set();
      parts.push((part = { columns: run.columns, values: [], items: [] }));
    }
    seen.add(key);
    part.items.push(item);
    for (let i = row * width; i < (row + 1) * width; i += 1) part.values.push(run.values[i]);
  });
  return parts;
}

export function rowsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}
