/** What the settings alone decide, worked out once at start. */
import { Failure } from '../../../lib/core';
import type { CallValuesOf, ValuesOf } from '../../../lib/spec';
import type { Conflict } from '../dialects/types';
import type { RowsText } from '../engine/texts';
import { mappedReader, objectReader, readingReader, type RowReader } from './rows';
import type { SqlFields } from './fields';

export type Settings = ValuesOf<SqlFields>;
export type Values = CallValuesOf<SqlFields>;

export interface Plan {
  readonly config: Settings;
  readonly reader: RowReader;
  readonly conflict: Conflict | undefined;
  /** Columns that a message chose must exist; those that the settings name are the database's business. */
  readonly checksColumns: boolean;
  /** The same object for the same table and columns, by which texts are remembered. */
  shape(table: string, columns: readonly string[]): RowsText;
}

export function plan(config: Settings): Plan {
  const conflict = conflictOf(config);
  checkSettings(config);
  const shapes = new WeakMap<readonly string[], Map<string, RowsText>>();
  const byName = new Map<string, RowsText>();
  return {
    config,
    reader: readerOf(config),
    conflict,
    checksColumns: config.rowsFrom === 'objects',
    shape(table, columns) {
      let tables = shapes.get(columns);
      if (!tables) shapes.set(columns, (tables = new Map<string, RowsText>()));
      const known = tables.get(table);
      if (known) return known;
      const name = JSON.stringify([table, columns]);
      const shape = byName.get(name) ?? { table, columns, conflict };
      if (byName.size >= 256) byName.clear();
      byName.set(name, shape);
      tables.set(table, shape);
      return shape;
    },
  };
}

function readerOf(config: Settings): RowReader {
  if (config.rowsFrom === 'readings') return readingReader();
  return config.rowsFrom === 'mapping' ? mappedReader(config.mapping) : objectReader();
}

function conflictOf({ operation, keys, onConflict }: Settings): Conflict | undefined {
  return operation === 'upsert' ? { keys, action: onConflict } : undefined;
}

function checkSettings(config: Settings): void {
  const { operation, target } = config;
  const writes = operation !== 'query' && operation !== 'transaction';
  if (operation === 'query' && config.sql.trim() === '')
    throw wrong('Statement', 'must hold a SQL statement');
  if (writes && config.table.trim() === '' && config.allowedTables.length === 0) {
    throw wrong('Table', 'must name a table');
  }
  const changes = operation === 'update' || operation === 'delete';
  const byKey = operation === 'upsert' || (changes && target === 'keys');
  if (byKey && config.keys.length === 0) throw wrong('Key columns', 'must name at least one column');
  if (changes && target === 'condition' && config.condition.trim() === '') {
    throw wrong('Condition', 'must not be empty; choose "Every row of the table" if that is meant');
  }
  if (writes && config.rowsFrom === 'mapping' && config.mapping.length === 0) {
    throw wrong('Columns from paths', 'must hold at least one column');
  }
  const makes = (operation === 'insert' || operation === 'upsert') && config.createTable;
  if (makes && config.columns.length === 0 && config.rowsFrom !== 'readings') {
    throw wrong('Columns of a new table', 'must hold at least one column');
  }
}

function wrong(field: string, why: string): Failure {
  return new Failure('config', 'BAD_CONFIG', `"${field}" ${why}.`, { reached: false, details: { field } });
}
