/** Reads filters of dead letters from queries, commands and messages. What is not understood is refused. */
import { Failure, FAILURE_KINDS, type FailureKind } from '../../core';
import { parseDuration } from '../../spec';
import type { DeadFilter } from '../types';

/** Longest text of each condition; longer ones can match nothing. */
const TEXTS = { queue: 100, node: 200, code: 100, id: 200, key: 200 } as const;
/** The names of all conditions. */
export const FILTER_NAMES = [
  'numbers',
  'kind',
  'since',
  'before',
  ...Object.keys(TEXTS),
] as readonly string[];
const MOST_NUMBERS = 10_000;

/** Refuses a request: says what is wrong with it. */
export function badRequest(sentence: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', sentence, { reached: false });
}

/**
 * The conditions among the properties of `raw`. `extra` names properties that others read; any other name is
 * refused, because a mistyped condition must never mean "all". `now` is the wall clock, for times such as "2h" ago.
 */
export function readFilter(raw: object, extra: readonly string[], now: number): DeadFilter {
  const filter: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(raw) as [string, unknown][]) {
    if (extra.includes(name)) continue;
    if (!FILTER_NAMES.includes(name)) throw unknownName(name, [...FILTER_NAMES, ...extra]);
    filter[name] = readCondition(name, value, now);
  }
  return filter;
}

/** True when the filter names all dead letters. */
export function isUnlimited(filter: DeadFilter): boolean {
  return Object.keys(filter).length === 0;
}

/** A whole number within bounds, given as a number or as its digits. */
export function readWhole(name: string, value: unknown, least: number, most: number): number {
  const digits = typeof value === 'string' && /^\d{1,16}$/.test(value);
  const number = digits ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= least && number <= most) {
    return number;
  }
  const bounds = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw badRequest(`"${name}" must be a whole number ${bounds}, not ${quoted(value)}.`);
}

function readCondition(name: string, value: unknown, now: number): unknown {
  switch (name) {
    case 'numbers':
      return readNumbers(value);
    case 'kind':
      return readKind(value);
    case 'since':
    case 'before':
      return readTime(name, value, now);
    default:
      return readText(name as keyof typeof TEXTS, value);
  }
}

/** An empty list could be taken for no condition at all. */
function readNumbers(value: unknown): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(',', MOST_NUMBERS + 1).map((part) => part.trim())
      : [value];
  if (list.length === 0 || list.length > MOST_NUMBERS) {
    throw badRequest(`"numbers" must name 1 to ${MOST_NUMBERS} dead letters.`);
  }
  return [...new Set(list.map((one) => readWhole('numbers', one, 1, Number.MAX_SAFE_INTEGER)))];
}

function readKind(value: unknown): FailureKind {
  const kind = FAILURE_KINDS.find((known) => known === value);
  if (!kind) throw badRequest(`"kind" must be one of ${FAILURE_KINDS.join(', ')}, not ${quoted(value)}.`);
  return kind;
}

/** Milliseconds since 1970, an ISO 8601 time, or a duration before now. */
function readTime(name: string, value: unknown, now: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && value.length <= 40) {
    if (/^\d{1,16}$/.test(value)) return readWhole(name, value, 0, Number.MAX_SAFE_INTEGER);
    const ago = parseDuration(value);
    if (ago !== undefined) return Math.max(0, Math.floor(now - ago));
    const time = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN;
    if (time >= 0) return time;
  }
  throw badRequest(
    `"${name}" must be a time such as "2026-03-01T06:00:00Z", a duration before now such as "2h", or milliseconds since 1970, not ${quoted(value)}.`,
  );
}

/** Only a key may be empty: that names the records without one. */
function readText(name: keyof typeof TEXTS, value: unknown): string {
  const most = TEXTS[name];
  if (typeof value === 'string' && value.length <= most && (value !== '' || name === 'key')) return value;
  const least = name === 'key' ? 0 : 1;
  throw badRequest(`"${name}" must be a text of ${least} to ${most} characters, not ${quoted(value)}.`);
}

function unknownName(name: string, known: readonly string[]): Failure {
  return badRequest(`${quoted(name)} is not a condition; known are ${known.join(', ')}.`);
}

/** A value in a sentence: short, and without what a terminal or a page would act on. */
function quoted(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string')
    return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  const short = value.length > 40 ? `${value.slice(0, 39)}…` : value;
  return JSON.stringify(short);
}
