/** Names what the drivers throw. Sentences never hold credentials; drivers' own texts are cut. */
import { Failure, isFailure, toFailure, type FailureKind } from '../../lib/core';
import { textProperty } from './dialects/driver-text';
import { mssqlFailure } from './dialects/mssql-errors';
import { mysqlFailure } from './dialects/mysql-errors';
import { networkFailure } from './dialects/network-errors';
import { postgresFailure } from './dialects/postgres-errors';
import { MOST_BYTES } from './dialects/room';
import { sqliteFailure } from './dialects/sqlite-errors';

export const codes = {
  SQL_CONSTRAINT: 'A row breaks a constraint of the table: unique, foreign key, not null or check.',
  SQL_VALUE: 'A value does not fit its column: wrong type, too long or out of range.',
  SQL_SYNTAX: 'The database does not understand the SQL statement.',
  SQL_NO_TABLE: 'The table does not exist, or the login may not see it.',
  SQL_UNKNOWN_COLUMN: 'The row holds a column that the table does not have.',
  SQL_TABLE_REFUSED: 'The message names a table that the node does not allow.',
  SQL_READ_ONLY: 'The statement would write, but the node, login or database only reads.',
  SQL_DENIED: 'The login lacks a permission for this statement.',
  SQL_CONFLICT: 'The database ended the transaction because of a deadlock or a concurrent change.',
  SQL_BUSY: 'The database is locked, overloaded, starting or stopping.',
  SQL_FULL: 'The disk or the memory of the database is full, or the disk fails.',
  SQL_CORRUPT: 'The database file is damaged or is not a database.',
  SQL_POOL_TIMEOUT: 'Every connection of the pool stayed busy for the whole acquire timeout.',
  SQL_STREAM_EXPIRED: 'No tick asked for the next part in time, so the result was closed.',
} as const;
export type SqlCode = keyof typeof codes;

/** What a driver's table of errors says about one error. */
export interface Named {
  readonly kind: FailureKind;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly reached?: boolean;
}

export function classify(error: unknown): Failure {
  if (isFailure(error)) return error;
  const named =
    poolFailure(error) ??
    sizeFailure(error) ??
    namers.map((name) => name(error)).find((one) => one !== undefined);
  if (!named) return toFailure(error);
  const { kind, code, message, details, reached } = named;
  return new Failure(kind, code, message, {
    ...(details ? { details } : {}),
    ...(reached === undefined ? {} : { reached }),
  });
}

const namers = [sqliteFailure, postgresFailure, mysqlFailure, mssqlFailure, networkFailure];

/** Also from the SQLite thread, where only the code arrives. */
function sizeFailure(error: unknown): Named | undefined {
  if (textProperty(error, 'code') !== 'RESULT_TOO_LARGE') return undefined;
  return {
    kind: 'rejected',
    code: 'RESPONSE_TOO_LARGE',
    message:
      `The result needs more than ${MOST_BYTES / 1024 / 1024} MiB. Choose "Send the result in parts", ask for fewer rows ` +
      'or columns, or, where it comes in parts already, for fewer rows per part.',
  };
}

function poolFailure(error: unknown): Named | undefined {
  const name = error instanceof Error ? error.name : '';
  if (name !== 'KnexTimeoutError' && name !== 'TimeoutError') return undefined;
  return {
    kind: 'transient',
    code: 'SQL_POOL_TIMEOUT',
    message:
      'No database connection became free within the acquire timeout. Check for slow statements and unfinished ' +
      'streams, or allow more connections.',
    reached: false,
  };
}
