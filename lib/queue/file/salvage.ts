/** Reads what can be read of a damaged table, around the pages that cannot. */
import type { DatabaseSync } from 'node:sqlite';

/** Reads that may fail in one table before the rest of it is given up. */
const MOST_ERRORS = 2000;
/** No position is beyond it. */
export const LAST_POSITION = Number.MAX_SAFE_INTEGER;

export type Found = Record<string, unknown>;

export interface Salvage {
  readonly rows: number;
  /** Reads that failed; 0: the table was sound. */
  readonly errors: number;
}

/** Calls `keep` for each readable row, by its rowid column `id`: upwards, downwards, then halving what is between. */
export function salvage(
  db: DatabaseSync,
  table: string,
  id: string,
  keep: (row: Found) => void,
  last = LAST_POSITION,
): Salvage {
  let rows = 0;
  let errors = 0;

  /** Reads on until the end or a bad page. Returns the last position read; undefined when the end was reached. */
  const walk = (up: boolean, from: number, to: number): number | undefined => {
    let before = up ? from - 1 : to + 1;
    // One bound only: a bad cell with a position beyond the other one must not look like the end.
    const sql = `SELECT * FROM ${table} NOT INDEXED WHERE ${id} ${up ? '>=' : '<='} ? ORDER BY ${id} ${up ? 'ASC' : 'DESC'}`;
    const next = reader(db, sql, [up ? from : to]);
    for (;;) {
      const row = next();
      if (row === null) return undefined;
      const at = row ? Number(row[id]) : NaN;
      const sound = up ? at > before && at <= last : at < before && at >= 0;
      if (!row || !sound) {
        errors += 1;
        return before;
      }
      if (at < from || at > to) return undefined;
      before = at;
      keep(row);
      rows += 1;
    }
  };

  const gaps: [from: number, to: number][] = [[0, last]];
  for (let gap = gaps.pop(); gap && errors < MOST_ERRORS; gap = gaps.pop()) {
    const low = walk(true, gap[0], gap[1]);
    if (low === undefined) continue;
    const high = walk(false, low + 1, gap[1]);
    if (high === undefined) continue;
    const from = low + 1;
    const to = high - 1;
    if (from >= to) continue;
    const middle = Math.floor((from + to) / 2);
    gaps.push([middle + 1, to], [from, middle]);
  }
  return { rows, errors };
}

/** All rows of a small table without such a column, as far as it can be read. */
export function salvageSmall(db: DatabaseSync, table: string, keep: (row: Found) => void): Salvage {
  const next = reader(db, `SELECT * FROM ${table}`, []);
  for (let rows = 0; ; rows += 1) {
    const row = next();
    if (!row) return { rows, errors: row === undefined ? 1 : 0 };
    keep(row);
  }
}

/** Reads row after row; null at the end, undefined when the file cannot be read. What `keep` throws is not of it. */
function reader(db: DatabaseSync, sql: string, values: readonly number[]): () => Found | null | undefined {
  let rows: Iterator<Found> | undefined;
  return () => {
    try {
      rows ??= db.prepare(sql).iterate(...values);
      const next = rows.next();
      return next.done === true ? null : next.value;
    } catch {
      return undefined;
    }
  };
}
