/** Headers and arguments: field tables of the protocol, as plain values and back. */
import { Failure } from '../../lib/core';

const DEPTH = 8;
const LONGEST_KEY = 255;
const SMALLEST_INT64 = -(2n ** 63n);
const LARGEST_INT64 = 2n ** 63n - 1n;

const bad = (what: string): Failure => new Failure('rejected', 'BAD_MESSAGE', what, { reached: false });

export interface EncodedTable {
  /** As amqplib takes it. */
  readonly table: Readonly<Record<string, unknown>>;
  /** What it takes on the wire. */
  readonly bytes: number;
}

/** @throws Failure that names the header that cannot be sent. `what` is "Headers" or "Arguments". */
export function encodeTable(value: unknown, what: string): EncodedTable {
  if (value === undefined || value === null || value === '') return { table: {}, bytes: 4 };
  if (typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value)) {
    throw bad(`${what} must be an object with names and values.`);
  }
  const counter = { bytes: 4 };
  return { table: tableOf(value, what, 0, counter), bytes: counter.bytes };
}

interface Counter {
  bytes: number;
}

function tableOf(value: object, where: string, depth: number, counter: Counter): Record<string, unknown> {
  if (depth > DEPTH) throw bad(`${where} is nested too deeply.`);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  const fields = entries.map(([key, one]): [string, unknown] => {
    const length = Buffer.byteLength(key);
    if (length > LONGEST_KEY) throw bad(`${where} has a name of ${length} bytes; at most 255 are possible.`);
    // The library would take it for a type of its own.
    if (key === '!') throw bad(`${where} has the name "!", which cannot be sent.`);
    counter.bytes += 1 + length;
    return [key, valueOf(one, `${where}.${key.slice(0, 60)}`, depth, counter)];
  });
  return Object.fromEntries(fields);
}

function valueOf(value: unknown, where: string, depth: number, counter: Counter): unknown {
  counter.bytes += 9;
  switch (typeof value) {
    case 'string':
      counter.bytes += Buffer.byteLength(value);
      return value;
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw bad(`${where} is not a finite number.`);
    case 'bigint':
      if (value >= SMALLEST_INT64 && value <= LARGEST_INT64) return { '!': 'long', value };
      throw bad(`${where} is beyond 64 bits.`);
    case 'object':
      return objectOf(value, where, depth, counter);
    default:
      throw bad(`${where} is a ${typeof value}, which cannot be sent.`);
  }
}

function objectOf(value: object | null, where: string, depth: number, counter: Counter): unknown {
  if (value === null) return null;
  if (value instanceof Date) {
    const seconds = Math.floor(value.getTime() / 1000);
    if (!(seconds >= 0)) throw bad(`${where} is a date before 1970 or none at all.`);
    return { '!': 'timestamp', value: seconds };
  }
  if (Buffer.isBuffer(value)) {
    counter.bytes += value.length;
    return value;
  }
  if (!Array.isArray(value)) return tableOf(value, where, depth + 1, counter);
  if (depth >= DEPTH) throw bad(`${where} is nested too deeply.`);
  return value.map((one, i) => valueOf(one ?? null, `${where}[${i}]`, depth + 1, counter));
}

/** A received table as plain values: timestamps as Date, decimals as numbers. Keys cannot reach a prototype. */
export function decodeTable(value: unknown): Record<string, unknown> {
  return decoded(value, 0) as Record<string, unknown>;
}

function decoded(value: unknown, depth: number): unknown {
  if (depth > DEPTH) return null;
  if (Array.isArray(value)) return value.map((one) => decoded(one, depth + 1));
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (typeof value !== 'object' || value === null) return value === undefined ? {} : value;
  if (Object.hasOwn(value, '!')) return special(value as { '!': unknown; value?: unknown });
  const entries = Object.entries(value).filter(([key]) => key !== '__proto__');
  return Object.fromEntries(entries.map(([key, one]) => [key, decoded(one, depth + 1)]));
}

function special(value: { '!': unknown; value?: unknown }): unknown {
  if (value['!'] === 'timestamp') return new Date(Number(value.value) * 1000);
  const { digits, places } = (value.value ?? {}) as { digits?: unknown; places?: unknown };
  return value['!'] === 'decimal' ? Number(digits) / 10 ** Number(places) : null;
}
