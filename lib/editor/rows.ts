/** Pasted cells to table rows, and back. Pure, so that the spreadsheet rules are tested without a browser. */
import type { Cell, Columns } from '../spec';
import { unguard } from './csv';
import { plain } from './plain';

export type Row = Record<string, string | number | boolean>;

/** A new row with every default. */
export function emptyRow(columns: Columns): Row {
  const row: Row = {};
  for (const [name, column] of Object.entries(columns)) {
    if (column.kind === 'typed') {
      row[name] = column.default.value;
      row[`${name}Type`] = column.default.type;
    } else {
      row[name] = column.default ?? '';
    }
  }
  return row;
}

/**
 * Saved rows with the default of every cell that they lack. A flow written by hand may hold anything in place
 * of a row or a cell; what no cell can show is left out or becomes empty.
 */
export function savedRows(value: unknown, columns: Columns): Row[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRow).map((saved) => {
    const row = emptyRow(columns);
    for (const name of Object.keys(row)) {
      const cell = Object.hasOwn(saved, name) ? saved[name] : undefined;
      if (cell !== undefined && cell !== null)
        row[name] = typeof cell === 'boolean' || typeof cell === 'number' ? cell : plain(cell);
    }
    return row;
  });
}

/** Whether a table can show it. */
export function isRow(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Rows of a pasted table. A first line of known column names or labels sets the order; without one the cells
 * follow the table's columns. Cells beyond the last column are ignored, missing ones keep their default.
 */
export function rowsFrom(cells: readonly (readonly string[])[], columns: Columns): Row[] {
  const first = cells[0];
  if (!first) return [];
  const header = headerOf(first, columns);
  const order = header ?? Object.keys(columns);
  return (header ? cells.slice(1) : cells).map((line) => {
    const row = emptyRow(columns);
    order.forEach((name, i) => {
      const cell = line[i];
      const column = name === undefined ? undefined : columns[name];
      if (column && name !== undefined && cell !== undefined) setCell(row, name, column, cell);
    });
    return row;
  });
}

/** Column names in the order of the first line; undefined when that line is data. */
function headerOf(line: readonly string[], columns: Columns): (string | undefined)[] | undefined {
  const known = new Map<string, string>();
  for (const [name, column] of Object.entries(columns)) {
    known.set(name.toLowerCase(), name);
    known.set(column.label.toLowerCase(), name);
  }
  const names = line.map((cell) => known.get(cell.trim().toLowerCase()));
  const found = names.filter((name) => name !== undefined);
  const enough = found.length > 1 || (found.length === 1 && line.length === 1);
  return enough && found.length >= line.length / 2 ? names : undefined;
}

export function setCell(row: Row, name: string, column: Cell, cell: string): void {
  const text = unguard(cell.trim());
  switch (column.kind) {
    case 'bool':
      row[name] = /^(1|x|true|yes|on|ja|wahr)$/i.test(text);
      return;
    case 'choice':
      row[name] = text === '' ? column.default : optionOf(column.options, text);
      return;
    case 'int':
    case 'number':
      row[name] = text === '' ? (column.default ?? '') : decimal(text);
      return;
    case 'duration':
      row[name] = text === '' ? column.default : text;
      return;
    case 'typed': {
      const [, type, value] = /^(\w+):([^]*)$/.exec(text) ?? [];
      const known = column.types.find((one) => one === type);
      row[name] = known ? (value ?? '') : text;
      row[`${name}Type`] = known ?? column.default.type;
      return;
    }
    case 'text':
      row[name] = text;
  }
}

/** By value or label, whatever the case; anything else stays, so that the check can name it. */
function optionOf(options: Readonly<Record<string, string>>, text: string): string {
  const wanted = text.toLowerCase();
  const entry = Object.entries(options).find(
    ([value, label]) => value.toLowerCase() === wanted || label.toLowerCase() === wanted,
  );
  return entry?.[0] ?? text;
}

/** "0,5" becomes 0.5. "1,234" stays: it may be one thousand, and a guess would corrupt a scale silently. */
function decimal(text: string): string {
  return /^-?(\d+,(\d{1,2}|\d{4,})|0,\d+)$/.test(text) ? text.replace(',', '.') : text;
}

/** Header and rows as text; what `rowsFrom` reads back. */
export function cellsOf(rows: readonly Row[], columns: Columns): string[][] {
  const names = Object.keys(columns);
  return [
    names,
    ...rows.map((row) =>
      names.map((name) => {
        const value = String(row[name] ?? '');
        return columns[name]?.kind === 'typed' ? `${String(row[`${name}Type`] ?? '')}:${value}` : value;
      }),
    ),
  ];
}
