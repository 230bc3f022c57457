/** Rows of the database as objects for `msg.payload`. */
import { Failure } from '../../../lib/core';
import type { ResultSet } from '../dialects/types';

export type BigIntegers = 'text' | 'bigint';
export type RowObject = Record<string, unknown>;

export function rowObjects({ columns, rows }: ResultSet, bigIntegers: BigIntegers): RowObject[] {
  if (columns.includes('__proto__')) {
    const message = 'The result has a column "__proto__". Give it another name with AS.';
    throw new Failure('rejected', 'BAD_RESPONSE', message, { reached: true });
  }
  return rows.map((cells) => {
    const row: RowObject = {};
    for (let i = 0; i < columns.length; i += 1) {
      const cell = cells[i];
      row[columns[i] ?? ''] = typeof cell === 'bigint' && bigIntegers === 'text' ? cell.toString() : cell;
    }
    return row;
  });
}
