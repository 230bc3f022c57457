/** Names of tables and columns: quoted always, and checked against a list when a message chose them. */
import { Failure } from '../../../lib/core';
import type { Dialect } from '../dialects/types';

const LONGEST = 128;

/** `table` or `schema.table`, each part quoted. */
export function quoteTable(table: string, dialect: Dialect): string {
  const parts = table.split('.');
  if (
    parts.length > 3 ||
    parts.some((part) => part.trim() === '' || part.length > LONGEST || part.includes('\0'))
  ) {
    throw new Failure(
      'config',
      'BAD_CONFIG',
      `"${table.slice(0, 100)}" is not a table name such as "readings".`,
      {
        reached: false,
      },
    );
  }
  return parts.map((part) => dialect.quote(part)).join('.');
}

/** A table that a message names must stand on the node's list, letter by letter. */
export function checkTable(table: string, configured: string, allowed: readonly string[]): void {
  if (table === configured || allowed.includes(table)) return;
  const message = `The message names the table "${table.slice(0, 100)}", which is not among the node's allowed tables.`;
  throw new Failure('rejected', 'SQL_TABLE_REFUSED', message, { reached: false });
}

/** The columns of a table, compared as its database does. */
export class Columns {
  readonly #names: ReadonlySet<string>;
  readonly #fold: (name: string) => string;

  constructor(names: readonly string[], caseSensitive: boolean) {
    this.#fold = caseSensitive ? (name) => name : (name) => name.toLowerCase();
    this.#names = new Set(names.map(this.#fold));
  }

  has(name: string): boolean {
    return this.#names.has(this.#fold(name));
  }

  /** Names the columns that do not exist; undefined when all do. */
  refuse(names: readonly string[], table: string): Failure | undefined {
    const unknown = names.filter((name) => !this.has(name));
    if (unknown.length === 0) return undefined;
    const list = unknown.slice(0, 5).map((name) => `"${name.slice(0, 60)}"`);
    const camel = unknown.includes('sourceTime') ? ' Choose "Rows from: Readings" for Readings.' : '';
    const message = `The table "${table}" has no column ${list.join(', ')}. Rename the property, map it, or add the column.${camel}`;
    return new Failure('rejected', 'SQL_UNKNOWN_COLUMN', message, {
      reached: false,
      details: { columns: unknown.slice(0, 20).map((name) => name.slice(0, 60)) },
    });
  }
}
