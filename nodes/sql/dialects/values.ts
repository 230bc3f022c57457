/** Turns values of messages into what each driver stores without a silent change. */
import { Failure } from '../../../lib/core';
import type { DialectName } from './types';

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/**
 * Dates become UTC, objects and arrays JSON text, undefined NULL. Refuses what no database can hold: NaN,
 * infinities, invalid dates, functions, integers beyond 64 bits.
 */
export function bindValue(value: unknown, dialect: DialectName): unknown {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw unbindable(`the number ${value}`);
      return value;
    case 'boolean':
      return dialect === 'sqlite' || dialect === 'mysql' ? Number(value) : value;
    case 'bigint':
      if (value < INT64.min || value > INT64.max) throw unbindable('an integer of more than 64 bits');
      return dialect === 'sqlite' ? value : value.toString();
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : bindObject(value, dialect);
    default:
      throw unbindable(`a ${typeof value}`);
  }
}

/** PostgreSQL's own limit of dimensions; it also ends an array that holds itself. */
const DEEPEST_ARRAY = 6;

/** As `bindValue`, and PostgreSQL takes arrays as its own arrays: `= ANY(:ids)`. */
export function bindParameter(value: unknown, dialect: DialectName, depth = 0): unknown {
  if (dialect !== 'postgres' || !Array.isArray(value)) return bindValue(value, dialect);
  if (depth >= DEEPEST_ARRAY) throw unbindable(`an array of more than ${DEEPEST_ARRAY} dimensions`);
  return value.map((one) => bindParameter(one, dialect, depth + 1));
}

function bindObject(value: object, dialect: DialectName): unknown {
  if (value instanceof Date) return bindDate(value, dialect);
  if (value instanceof Uint8Array) return bindBytes(value, dialect);
  // Their JSON form is empty or misleading, so the content would be lost without a word.
  if (value instanceof Map || value instanceof Set) throw unbindable('a Map or Set');
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    throw unbindable('a typed array that is neither Buffer nor Uint8Array');
  }
  try {
    const json = JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));
    if (typeof json === 'string') return json;
  } catch {
    // A cycle: refused below, by the same sentence.
  }
  throw unbindable('an object that has no JSON form');
}

/** A view of a part crosses threads with the whole memory behind it, so the part is copied. */
function bindBytes(value: Uint8Array, dialect: DialectName): Uint8Array {
  if (dialect !== 'sqlite') return Buffer.isBuffer(value) ? value : Buffer.from(value);
  return value.byteLength < value.buffer.byteLength ? new Uint8Array(value) : value;
}

function bindDate(date: Date, dialect: DialectName): unknown {
  if (Number.isNaN(date.getTime())) throw unbindable('an invalid date');
  if (dialect === 'mssql') return date;
  const iso = date.toISOString();
  return dialect === 'mysql' ? iso.slice(0, -1).replace('T', ' ') : iso;
}

function unbindable(what: string): Failure {
  return new Failure(
    'rejected',
    'BAD_MESSAGE',
    `A value for the database is ${what}, which cannot be stored.`,
    {
      reached: false,
    },
  );
}
