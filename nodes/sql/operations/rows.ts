/** Rows of a message as columns and values. Consecutive rows of one shape make one run. */
import { Failure, getPath, isReading, parsePath, type Path, type Reading } from '../../../lib/core';
import type { Columns } from '../engine/names';

/** `values` holds `columns.length` values a row, row after row. */
export interface Run {
  readonly columns: readonly string[];
  readonly values: unknown[];
  /** The number of the input of each row. */
  readonly items: number[];
}
/** Appends the values of one row to `into`; returns its columns (the same array for the same shape). */
export type RowReader = (row: unknown, into: unknown[]) => readonly string[];

const READING_COLUMNS = [
  'tag',
  'value',
  'quality',
  'status',
  'source_time',
  'received_time',
  'unit',
] as const;
export { READING_COLUMNS };

export interface MappedColumn {
  readonly column: string;
  readonly path: string;
  readonly as: 'same' | 'time' | 'json';
}

/** Property names are columns; the shape is remembered, because rows of a flow hardly ever change theirs. */
export function objectReader(): RowReader {
  let last: readonly string[] = [];
  return (row, into) => {
    if (!isPlain(row)) throw badRow('an object whose properties name columns', row);
    const names = Object.keys(row);
    if (names.length === 0) throw badRow('an object with at least one property', row);
    if (!sameNames(names, last)) last = names;
    for (const name of last) into.push(row[name]);
    return last;
  };
}

export function readingReader(): RowReader {
  return (row, into) => {
    if (!isReading(row)) throw badRow('a Reading with tag, value and quality', row);
    into.push(row.tag, readingValue(row), row.quality, row.status ?? '');
    into.push(timeOf(row.sourceTime), timeOf(row.receivedTime), row.unit ?? '');
    return READING_COLUMNS;
  };
}

/** True and false become 1 and 0, so that one numeric column takes every plain tag. */
function readingValue({ value }: Reading): unknown {
  return typeof value === 'boolean' ? Number(value) : value;
}

export function mappedReader(mapping: readonly MappedColumn[]): RowReader {
  const columns = mapping.map((one) => one.column);
  const sources: readonly { path: Path; as: MappedColumn['as'] }[] = mapping.map(({ path, as }) => ({
    path: parsePath(path),
    as,
  }));
  return (row, into) => {
    if (typeof row !== 'object' || row === null) throw badRow('an object', row);
    for (const { path, as } of sources) into.push(converted(getPath(row, path), as));
    return columns;
  };
}

function converted(value: unknown, as: MappedColumn['as']): unknown {
  if (value === undefined || value === null) return null;
  if (as === 'time') return timeOf(value);
  return as === 'json' ? JSON.stringify(value) : value;
}

/** A Date, so that each database gets its own form of time. Missing times are NULL. */
function timeOf(value: unknown): Date | null {
  if (value === undefined || value === null || value === '') return null;
  const time = value instanceof Date ? value : new Date(value as string | number);
  if (!Number.isNaN(time.getTime())) return time;
  throw new Failure(
    'rejected',
    'BAD_MESSAGE',
    `"${describe(value)}" is not a time. Give ISO 8601 text or milliseconds since 1970.`,
    {
      reached: false,
    },
  );
}

function describe(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 60) : typeof value;
}

/** Joins rows of the same shape that follow each other. */
export function addRow(runs: Run[], read: RowReader, row: unknown, item: number): void {
  const last = runs.at(-1);
  const values = last?.values ?? [];
  const start = values.length;
  let columns: readonly string[];
  try {
    columns = read(row, values);
  } catch (error) {
    values.length = start;
    throw error;
  }
  if (last?.columns === columns) last.items.push(item);
  else runs.push({ columns, values: values.splice(start), items: [item] });
}

/** Checks columns that a message chose; leaves unknown ones out where the node says so. */
export function checkRun(run: Run, known: Columns, table: string, drop: boolean): Run {
  const refused = known.refuse(run.columns, table);
  if (!refused) return run;
  const kept = run.columns.flatMap((name, i) => (known.has(name) ? [i] : []));
  if (!drop || kept.length === 0) throw refused;
  const width = run.columns.length;
  return {
    columns: kept.map((i) => run.columns[i] ?? ''),
    values: run.items.flatMap((_, row) => kept.map((i) => run.values[row * width + i])),
    items: run.items,
  };
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(value instanceof Date) && !ArrayBuffer.isView(value);
}

function badRow(need: string, row: unknown): Failure {
  const got = row === null ? 'null' : Array.isArray(row) ? 'an array' : `a value of type ${typeof row}`;
  return new Failure('rejected', 'BAD_MESSAGE', `Each row must be ${need}; the message holds ${got}.`, {
    reached: false,
  });
}
