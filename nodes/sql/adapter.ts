import type { Effect } from '../../lib/core';
import { defineAdapter, type Result } from '../../lib/roles';
import { codes } from './classify';
import { connector } from './connector';
import { change } from './operations/change';
import type { Context } from './operations/context';
import { fields } from './operations/fields';
import { plan, type Values } from './operations/plan';
import { query, streamed, transaction } from './operations/query';
import { write, writeTogether } from './operations/write';

export const adapter = defineAdapter({
  type: 'holdfast-sql',
  version: 1,
  label: 'sql',
  summary: 'Reads and writes SQLite, PostgreSQL, MySQL, MariaDB and SQL Server.',
  details:
    'The number of rows read or changed stands in `msg.rowCount`. A query puts its rows into `msg.payload`; a write ' +
    'leaves the payload as it is. Integers beyond 2^53, decimals and times arrive as text, so that no digit is lost. ' +
    'Objects and arrays in a row are stored as JSON text.',
  fields,
  codes,
  connector,
  prepare: plan,
  effect: (values): Effect => effectOf(values),
  operation: ({ operation, table }) =>
    operation === 'query' || operation === 'transaction' ? operation : `${operation} ${table}`,
  call: (ctx: Context): Promise<Result> => run(ctx),
  // Rows that come in parts belong to one reader.
  cacheKey: ({ stream, sql, params }) => (stream ? undefined : keyOf([sql, params])),
  collect: {
    // An array is a transaction of its own.
    key: ({ collect, operation, rows, table }) =>
      collect && (operation === 'insert' || operation === 'upsert') && !Array.isArray(rows)
        ? table
        : undefined,
    limits: ({ collectRows, collectWait }) => ({ items: collectRows, waitMs: collectWait }),
    call: writeTogether,
  },
});

/** Repeating is harmless where the statement sets absolute values on rows that it names. */
function effectOf({ operation, access, stream }: Values): Effect {
  switch (operation) {
    case 'query':
      return stream || access === 'read' ? 'safe' : 'once';
    case 'upsert':
    case 'update':
    case 'delete':
      return 'idempotent';
    default:
      return 'once';
  }
}

async function run(ctx: Context): Promise<Result> {
  switch (ctx.values.operation) {
    case 'query':
      return ctx.values.stream ? streamed(ctx) : query(ctx);
    case 'insert':
    case 'upsert':
      return write(ctx);
    case 'update':
    case 'delete':
      return change(ctx);
    case 'transaction':
      return transaction(ctx);
  }
}

/** Parameters may hold what JSON cannot; such a query is not kept. */
function keyOf(parts: readonly unknown[]): string | undefined {
  try {
    return JSON.stringify(parts);
  } catch {
    return undefined;
  }
}
