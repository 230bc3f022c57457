/**
 * Values in registers and bits. A decoder is compiled once for each tag and then runs on raw response bytes.
 * Orders are written as they arrive for a 32-bit value whose big-endian form is ABCD.
 */
import { Failure } from '../../lib/core';
import type { Tag } from './tags';

export type ByteOrder = 'abcd' | 'cdab' | 'badc' | 'dcba';
export type ValueType = NumberType | 'bool' | 'string' | 'bits';
type NumberType = 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'float32' | 'float64';

/** What a decoder returns when the registers hold no number, such as NaN. */
export const NO_VALUE = Symbol('no value');
/** Reads a value at a byte offset (registers) or at a bit offset (coils and discrete inputs). */
export type Decode = (data: Buffer, at: number) => unknown;

const WORDS: Record<NumberType, number> = {
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  int64: 4,
  uint64: 4,
  float32: 2,
  float64: 4,
};

/** Registers that a value occupies. `length` counts characters or bits. */
export function registersOf(type: ValueType, length: number, bit: number): number {
  if (type === 'string') return Math.ceil(length / 2);
  if (type === 'bits') return Math.ceil((bit + length) / 16);
  return type === 'bool' ? 1 : WORDS[type];
}

const swapsBytes = (order: ByteOrder): boolean => order === 'badc' || order === 'dcba';
const swapsWords = (order: ByteOrder): boolean => order === 'cdab' || order === 'dcba';

/** For coils and discrete inputs: eight a byte, first in the lowest bit. */
export function bitDecoder(tag: Tag): Decode {
  const one = (data: Buffer, at: number): boolean => (((data[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
  if (tag.type === 'bool') return one;
  return (data, at) => Array.from({ length: tag.length }, (_, i) => one(data, at + i));
}

export function registerDecoder(tag: Tag): Decode {
  const { type, order, bit, length } = tag;
  if (type === 'string') return (data, at) => readText(arrange(data, at, tag.span, order, false), length);
  if (type === 'bool' || type === 'bits') {
    const flag = (data: Buffer, at: number, i: number): boolean =>
      ((wordAt(data, at + (i >> 4) * 2, order) >> (i & 15)) & 1) === 1;
    if (type === 'bool') return (data, at) => flag(data, at, bit);
    return (data, at) => Array.from({ length }, (_, i) => flag(data, at, bit + i));
  }
  return scaled(numberDecoder(type, order), tag.scale, tag.offset);
}

function wordAt(data: Buffer, at: number, order: ByteOrder): number {
  return swapsBytes(order) ? data.readUInt16LE(at) : data.readUInt16BE(at);
}

type Raw = (data: Buffer, at: number) => number | bigint;

const BIG: Record<NumberType, Raw> = {
  int16: (data, at) => data.readInt16BE(at),
  uint16: (data, at) => data.readUInt16BE(at),
  int32: (data, at) => data.readInt32BE(at),
  uint32: (data, at) => data.readUInt32BE(at),
  int64: (data, at) => data.readBigInt64BE(at),
  uint64: (data, at) => data.readBigUInt64BE(at),
  float32: (data, at) => shortest(data.readFloatBE(at)),
  float64: (data, at) => data.readDoubleBE(at),
};

const POWERS = Array.from({ length: 11 }, (_, i) => 10 ** i);

/**
 * The seven-digit decimal that means the same float32, where there is one: a device that sends 22.4 shall not
 * read as 22.399999618530273.
 */
function shortest(value: number): number {
  const size = Math.abs(value);
  if (!(size >= 1e-4 && size < 1e7)) return value;
  const power = POWERS[6 - Math.floor(Math.log10(size))] ?? 1;
  const decimal = Math.round(value * power) / power;
  return Math.fround(decimal) === value ? decimal : value;
}

function numberDecoder(type: NumberType, order: ByteOrder): Raw {
  const big = BIG[type];
  if (order === 'abcd' || (WORDS[type] === 1 && !swapsBytes(order))) return big;
  return (data, at) => big(arrange(data, at, WORDS[type], order, true), 0);
}

/** A copy of the registers with the most significant byte first. The same operation serves both directions. */
function arrange(data: Buffer, at: number, words: number, order: ByteOrder, reorderWords: boolean): Buffer {
  const copy = Buffer.from(data.subarray(at, at + words * 2));
  if (swapsBytes(order)) copy.swap16();
  if (!reorderWords || !swapsWords(order)) return copy;
  const turned = Buffer.allocUnsafe(copy.length);
  for (let i = 0; i < words; i += 1) copy.copy(turned, (words - 1 - i) * 2, i * 2, i * 2 + 2);
  return turned;
}

/** Whole numbers beyond 2^53 come as decimal text, so that no digit is lost. */
function scaled(raw: Raw, scale: number, offset: number): Decode {
  const plain = scale === 1 && offset === 0;
  const multiply = multiplier(scale);
  return (data, at) => {
    const value = raw(data, at);
    if (typeof value === 'bigint') {
      const safe = value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
      if (plain) return safe ? Number(value) : value.toString();
      return multiply(Number(value)) + offset;
    }
    const result = plain ? value : multiply(value) + offset;
    return Number.isFinite(result) ? result : NO_VALUE;
  };
}

/** Divides where the scale is one over a whole number: 235 / 10 is 23.5, but 3 × 0.1 is not 0.3. */
function multiplier(scale: number): (value: number) => number {
  const inverse = Math.round(1 / scale);
  const exact = inverse !== 0 && Math.abs(inverse * scale - 1) < 1e-12;
  return exact ? (value) => value / inverse : (value) => value * scale;
}

function readText(bytes: Buffer, length: number): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? length : Math.min(end, length)).trimEnd();
}

const LIMITS: Partial<Record<NumberType, readonly [bigint, bigint]>> = {
  int16: [-32_768n, 32_767n],
  uint16: [0n, 65_535n],
  int32: [-2_147_483_648n, 2_147_483_647n],
  uint32: [0n, 4_294_967_295n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Register bytes of a number or string, as they go to the device. Throws a `rejected` Failure. */
export function encodeRegisters(tag: Tag, value: unknown): Buffer {
  if (tag.type === 'string') {
    if (typeof value !== 'string') throw badValue(tag, value, 'a text');
    if (value.length > tag.length) throw badValue(tag, value, `a text of at most ${tag.length} characters`);
    if (/[^\0-\xff]/u.test(value)) throw badValue(tag, value, 'a text of Latin-1 characters');
    const bytes = Buffer.alloc(tag.span * 2);
    bytes.write(value, 'latin1');
    return arrange(bytes, 0, tag.span, tag.order, false);
  }
  const type = tag.type as NumberType;
  const bytes = Buffer.alloc(WORDS[type] * 2);
  const limits = LIMITS[type];
  if (limits) putInteger(bytes, toInteger(tag, value, limits));
  else putFloat(bytes, type, tag, value);
  return arrange(bytes, 0, WORDS[type], tag.order, true);
}

function putInteger(bytes: Buffer, value: bigint): void {
  let rest = BigInt.asUintN(bytes.length * 8, value);
  for (let i = bytes.length - 1; i >= 0; i -= 1, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
}

function putFloat(bytes: Buffer, type: NumberType, tag: Tag, value: unknown): void {
  const raw = (toNumber(tag, value) - tag.offset) / tag.scale;
  const fits = type === 'float64' ? Number.isFinite(raw) : Number.isFinite(Math.fround(raw));
  if (!fits) throw badValue(tag, value, `a number that a ${type} can hold`);
  if (type === 'float32') bytes.writeFloatBE(raw);
  else bytes.writeDoubleBE(raw);
}

function toInteger(tag: Tag, value: unknown, [least, most]: readonly [bigint, bigint]): bigint {
  const plain = tag.scale === 1 && tag.offset === 0;
  const digits = typeof value === 'string' && /^\s*-?\d{1,20}\s*$/.test(value);
  const raw =
    plain && (digits || typeof value === 'bigint')
      ? BigInt(value)
      : toWhole(tag, value, (toNumber(tag, value) - tag.offset) / tag.scale);
  if (raw < least || raw > most) {
    throw badValue(tag, value, `a raw value from ${least} to ${most} (after scale and offset it is ${raw})`);
  }
  return raw;
}

/** An unscaled integer tag takes only whole numbers; a scaled one takes the nearest raw step. */
function toWhole(tag: Tag, value: unknown, raw: number): bigint {
  if (!Number.isFinite(raw)) throw badValue(tag, value, 'a finite number');
  if (tag.scale === 1 && !Number.isInteger(raw)) throw badValue(tag, value, 'a whole number');
  return BigInt(Math.round(raw));
}

function toNumber(tag: Tag, value: unknown): number {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && value.trim() !== ''
        ? Number(value)
        : NaN;
  if (!Number.isFinite(number)) throw badValue(tag, value, 'a number');
  return number;
}

/** Truth values of a bool or bits tag, in address order. Throws a `rejected` Failure. */
export function encodeFlags(tag: Tag, value: unknown): boolean[] {
  if (tag.type === 'bool') return [toFlag(tag, value)];
  if (!Array.isArray(value) || value.length !== tag.length) {
    throw badValue(tag, value, `an array of ${tag.length} booleans`);
  }
  return value.map((one) => toFlag(tag, one));
}

function toFlag(tag: Tag, value: unknown): boolean {
  if (value === true || value === 1 || value === 'true' || value === '1') return true;
  if (value === false || value === 0 || value === 'false' || value === '0') return false;
  throw badValue(tag, value, 'true or false');
}

function badValue(tag: Tag, value: unknown, expected: string): Failure {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : describe(value);
  return new Failure(
    'rejected',
    'BAD_MESSAGE',
    `Tag "${tag.name}" (${tag.type}) cannot be written with ${shown}; it needs ${expected}.`,
    { reached: false, details: { tag: tag.name } },
  );
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}
