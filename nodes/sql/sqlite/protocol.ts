/** What the main thread and the SQLite worker say to each other. Plain structured-clone values only. */

/** What SQLite can store: null, 64-bit integer, double, text, blob. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

export interface PlainStatement {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}
/** Rows of one shape: `sql` writes all of them at once, `single` one of them; `width` values a row. */
export interface RowChunk extends PlainStatement {
  readonly single: string;
  readonly width: number;
}
/** Values row after row, `columns.length` a row: one flat array crosses the threads cheapest. */
export interface FlatRows {
  readonly columns: readonly string[];
  readonly values: readonly SqliteValue[];
  /** Rows read or changed. */
  readonly rowCount: number;
}
export interface FetchedRows extends FlatRows {
  readonly done: boolean;
}

/** Every request and the type of its answer. `db` and `cursor` are numbers that the worker handed out. */
export interface Operations {
  /** Opens a database file; returns its number. */
  open: { readonly request: { file: string; readOnly: boolean; busyMs: number }; readonly answer: number };
  close: { readonly request: { db: number }; readonly answer: null };
  /** One statement. `guard` refuses every write while it runs. */
  run: { readonly request: PlainStatement & { db: number; guard: boolean }; readonly answer: FlatRows };
  /** All statements in one transaction; an error names the statement by `index`. */
  script: {
    readonly request: { db: number; statements: readonly PlainStatement[] };
    readonly answer: FlatRows[];
  };
  /** All statements in one transaction; returns the number of changed rows. */
  batch: {
    readonly request: { db: number; statements: readonly PlainStatement[] };
    readonly answer: number;
  };
  /** All rows in one transaction; a row that the database refuses fails alone. */
  tolerant: { readonly request: { db: number; chunks: readonly RowChunk[] }; readonly answer: RefusedRow[] };
  cursor: { readonly request: PlainStatement & { db: number }; readonly answer: number };
  fetch: { readonly request: { cursor: number; size: number }; readonly answer: FetchedRows };
  /** Closes every database, which folds the write-ahead log into the file. */
  end: { readonly request: object; readonly answer: null };
  release: { readonly request: { cursor: number }; readonly answer: null };
}
export type Operation = keyof Operations;
export type RequestOf<O extends Operation> = Operations[O]['request'];
export type AnswerOf<O extends Operation> = Operations[O]['answer'];

export interface RefusedRow {
  readonly chunk: number;
  readonly row: number;
  readonly error: SqliteErrorRecord;
}
/** An error as it crosses the threads. `errcode` is SQLite's extended result code. */
export interface SqliteErrorRecord {
  readonly code: string;
  readonly errcode: number;
  readonly message: string;
  /** Which statement of a script failed, from 0. */
  readonly index?: number;
}
export interface Request {
  readonly id: number;
  readonly op: Operation;
  readonly body: unknown;
}
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SqliteErrorRecord };
