/** Statement texts for rows, built once per shape and size. */
import type { Conflict, Dialect } from '../dialects/types';
import { quoteTable } from './names';

export interface RowsText {
  readonly table: string;
  readonly columns: readonly string[];
  readonly conflict: Conflict | undefined;
}
/** Shapes and sizes kept; a text for 1,000 rows has some 20 kB. */
const KEPT = 64;

export class Texts {
  readonly #dialect: Dialect;
  readonly #known = new Map<RowsText, Map<number, string>>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** An INSERT or upsert of `count` rows. `shape` is compared by identity: keep it. */
  insert(shape: RowsText, count: number): string {
    let sizes = this.#known.get(shape);
    if (!sizes) this.#known.set(shape, (sizes = new Map<number, string>()));
    const known = sizes.get(count);
    if (known !== undefined) return known;
    const text = insertText(shape, count, this.#dialect);
    bounded(sizes).set(count, text);
    bounded(this.#known);
    return text;
  }
}

function bounded<K, V>(map: Map<K, V>): Map<K, V> {
  if (map.size > KEPT) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  return map;
}

function insertText({ table, columns, conflict }: RowsText, count: number, dialect: Dialect): string {
  const quoted = quoteTable(table, dialect);
  const tuples = tuplesOf(count, columns.length, dialect);
  if (conflict) return dialect.upsert({ table: quoted, columns, tuples, conflict });
  return `INSERT INTO ${quoted} (${columns.map((name) => dialect.quote(name)).join(', ')}) VALUES ${tuples}`;
}

function tuplesOf(count: number, width: number, dialect: Dialect): string {
  const tuples: string[] = [];
  for (let row = 0; row < count; row += 1) {
    let tuple = '(';
    for (let i = 1; i <= width; i += 1) tuple += (i > 1 ? ', ' : '') + dialect.mark(row * width + i);
    tuples.push(`${tuple})`);
  }
  return tuples.join(', ');
}

/** `UPDATE … SET a = ?, b = ?`; the first placeholders are those of `columns`. */
export function updateText(table: string, columns: readonly string[], dialect: Dialect): string {
  const sets = columns.map((name, i) => `${dialect.quote(name)} = ${dialect.mark(i + 1)}`);
  return `UPDATE ${quoteTable(table, dialect)} SET ${sets.join(', ')}`;
}

export function deleteText(table: string, dialect: Dialect): string {
  return `DELETE FROM ${quoteTable(table, dialect)}`;
}

/** ` WHERE k1 = ? AND k2 = ?`; `first` placeholders come before. */
export function keysText(keys: readonly string[], dialect: Dialect, first: number): string {
  const tests = keys.map((name, i) => `${dialect.quote(name)} = ${dialect.mark(first + i + 1)}`);
  return ` WHERE ${tests.join(' AND ')}`;
}
