/** Target types. Conversions are strict: what is no number is a problem, never NaN or zero. */
import { quoted, scalarText, Trouble } from './trouble';

export const TYPES = ['keep', 'string', 'number', 'integer', 'boolean', 'date', 'json', 'jsonText'] as const;
export type TargetType = (typeof TYPES)[number];

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const TRUE = ['true', '1', 'yes', 'on'];
const FALSE = ['false', '0', 'no', 'off'];

export function convert(value: unknown, type: TargetType): unknown {
  switch (type) {
    case 'keep':
      return value;
    case 'string':
      return toText(value);
    case 'number':
      return toNumber(value);
    case 'integer': {
      const number = toNumber(value);
      if (!Number.isSafeInteger(number)) throw new Trouble(`${quoted(value)} is no whole number`);
      return number;
    }
    case 'boolean':
      return toBoolean(value);
    case 'date':
      return toIso(value);
    case 'json':
      return typeof value === 'string' ? parseJson(value) : value;
    case 'jsonText':
      return toJson(value);
  }
}

export function toNumber(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number =
    typeof value === 'string' && NUMBER.test(value.trim())
      ? Number(value)
      : typeof value === 'bigint'
        ? Number(value)
        : value;
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw new Trouble(`${quoted(value)} is no number`);
  return number;
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (isDate(value)) return toIso(value);
  if (typeof value === 'object')
    throw new Trouble(`${quoted(value)} is no text; the type "JSON text" would write it`);
  return scalarText(value);
}

function toBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const text =
    typeof value === 'string' || typeof value === 'number' ? String(value).trim().toLowerCase() : '';
  if (TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw new Trouble(`${quoted(value)} is neither true nor false`);
}

/** Dates, ISO 8601 texts and milliseconds since 1970 become ISO 8601 UTC. */
export function toIso(value: unknown): string {
  const date =
    isDate(value) || typeof value === 'number' || typeof value === 'string' ? new Date(value) : undefined;
  if (!date || Number.isNaN(date.getTime())) throw new Trouble(`${quoted(value)} is no date`);
  return date.toISOString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Trouble(`${quoted(text)} is no JSON`);
  }
}

export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    throw new Trouble('the value cannot be written as JSON');
  }
}

/** Also for dates of another realm: those of a function node come from its own sandbox. */
export function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}
