/** CREATE TABLE IF NOT EXISTS from declared columns, by knex's schema builder. */
import type { Knex } from 'knex';
import type { Scope } from '../../../lib/core';
import type { ColumnType, Dialect } from '../dialects/types';
import type { Session } from '../engine/session';
import type { Plan } from './plan';
import { READING_COLUMNS } from './rows';

interface NewColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly required: boolean;
}
const READING_TYPES: Readonly<Partial<Record<(typeof READING_COLUMNS)[number], ColumnType>>> = {
  value: 'number',
  source_time: 'time',
  received_time: 'time',
};

export function ensureTable(
  session: Session,
  { config, conflict }: Plan,
  table: string,
  scope: Scope,
): Promise<void> {
  return session.once(table, async () => {
    const columns = config.columns.length > 0 ? config.columns : readingColumns();
    const statements = createStatements(
      session.schema,
      session.dialect,
      table,
      columns,
      conflict?.keys ?? [],
    );
    await session.use(scope, async (link) => {
      for (const sql of statements) await link.run({ sql, values: [] });
    });
    session.forget(table);
  });
}

function readingColumns(): NewColumn[] {
  return READING_COLUMNS.map((name) => ({ name, type: READING_TYPES[name] ?? 'text', required: false }));
}

function createStatements(
  schema: Knex.SchemaBuilder,
  dialect: Dialect,
  table: string,
  columns: readonly NewColumn[],
  keys: readonly string[],
): string[] {
  const parts = table.split('.');
  const name = parts.pop() ?? table;
  const scoped = parts.length > 0 ? schema.withSchema(parts.join('.')) : schema;
  const builder = scoped.createTableIfNotExists(name, (made) => {
    for (const column of columns) {
      const isKey = keys.includes(column.name);
      const built = made.specificType(column.name, dialect.columnType(column.type, isKey));
      if (column.required || isKey) built.notNullable();
    }
    if (keys.length > 0) made.primary([...keys]);
  });
  const made = builder.toSQL() as unknown as { sql: string }[] | { sql: string };
  return (Array.isArray(made) ? made : [made]).map((one) => one.sql);
}
