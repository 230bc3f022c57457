/** What differs between the databases, in two halves: facts about their SQL, and one open connection. */

export type DialectName = 'sqlite' | 'postgres' | 'mysql' | 'mssql';

export interface Statement {
  readonly sql: string;
  /** Bound by position; already in the form that the driver takes (`bindValue`). */
  readonly values: readonly unknown[];
}

/**
 * Rows as arrays in the order of `columns`. Integers beyond 2^53 are BigInt, decimals and times are text, JSON
 * columns are parsed where the database has such a type, binary values are Buffers.
 */
export interface ResultSet {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** Rows read or changed. */
  readonly rowCount: number;
}

/** Rows of one shape that are written by one statement. `item(row)` says which input a row came from. */
export interface Chunk {
  readonly count: number;
  /** The statement for the rows from `from` to before `to`. */
  statement(from: number, to: number): Statement;
  item(row: number): number;
}

/** One pooled connection. Methods throw the driver's own errors; `classify` names them. */
export interface Link {
  run(statement: Statement): Promise<ResultSet>;
  /** Runs one statement that cannot change anything. */
  read(statement: Statement): Promise<ResultSet>;
  /** All statements in one transaction. A failure says in `details.statement` which one, from 1. */
  script(statements: readonly Statement[]): Promise<readonly ResultSet[]>;
  /** All statements in one transaction; resolves to the changed rows. */
  atomically(statements: readonly Statement[]): Promise<number>;
  /** All rows in one transaction; a refused row fails alone. The error of each refused item, by its number. */
  tolerantly(chunks: readonly Chunk[]): Promise<ReadonlyMap<number, unknown>>;
  /** Reads in parts of at most `size` rows; the next part is fetched when it is asked for. */
  stream(statement: Statement, size: number): AsyncGenerator<ResultSet, void, undefined>;
}

/** What to do with a row whose key exists. */
export interface Conflict {
  readonly keys: readonly string[];
  readonly action: 'update' | 'ignore';
}

export interface Dialect {
  readonly name: DialectName;
  /** For sentences: "PostgreSQL". */
  readonly label: string;
  /** Whether names differ by case alone. */
  readonly caseSensitive: boolean;
  quote(identifier: string): string;
  /** The placeholder of the n-th value, from 1. */
  mark(n: number): string;
  /** Sizes of statements for `rows` rows of `width` values, largest first; few sizes where statements are kept. */
  sizes(rows: number, width: number): readonly number[];
  /** True when one statement must not name a key twice. */
  readonly oneRowPerKey: boolean;
  upsert(parts: UpsertParts): string;
  /** The column type of a declared type; `key` when the column is part of a key. */
  columnType(type: ColumnType, key: boolean): string;
}
export interface UpsertParts {
  readonly table: string;
  readonly columns: readonly string[];
  /** "(?, ?), (?, ?)". */
  readonly tuples: string;
  readonly conflict: Conflict;
}

export const COLUMN_TYPES = [
  'text',
  'integer',
  'number',
  'decimal',
  'boolean',
  'time',
  'json',
  'binary',
] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];
