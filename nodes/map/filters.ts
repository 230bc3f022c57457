/** Filters of template tags: `{{ payload.name | trim | uppercase }}`, `{{ t | round 1 | default "-" }}`. */
import { isDate, toIso, toJson, toNumber } from './convert';
import { scalarText, Trouble } from './trouble';

export type Filter = (value: unknown) => unknown;
type Maker = (argument: string | undefined) => Filter;

/** A missing value passes every filter but `default`. */
const present =
  (fn: (value: unknown) => unknown): Filter =>
  (value) =>
    value === undefined || value === null ? value : fn(value);
const simple =
  (fn: (value: unknown) => unknown): Maker =>
  (argument) => {
    if (argument !== undefined) throw new Trouble('takes no argument');
    return present(fn);
  };

const MAKERS: Readonly<Record<string, Maker>> = {
  uppercase: simple((value) => asText(value).toUpperCase()),
  lowercase: simple((value) => asText(value).toLowerCase()),
  trim: simple((value) => asText(value).trim()),
  number: simple(toNumber),
  iso: simple(toIso),
  json: simple(toJson),
  round: (argument = '0') => {
    const digits = Number(argument);
    if (!Number.isInteger(digits) || digits < 0 || digits > 15) throw new Trouble('needs 0 to 15 digits');
    return present((value) => Number(toNumber(value).toFixed(digits)));
  },
  default: (argument) => {
    if (argument === undefined) throw new Trouble('needs a value');
    return (value) => (value === undefined || value === null || value === '' ? argument : value);
  },
};

export const FILTER_NAMES: readonly string[] = Object.keys(MAKERS);

const PART = /^([A-Za-z]+)(?:(?:\s*:\s*|\s+)([\s\S]*))?$/;

/** Reads one filter with its argument; quotes around the argument are optional. */
export function readFilter(text: string): Filter {
  const [, name = '', argument] = PART.exec(text.trim()) ?? [];
  const maker = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined;
  if (!maker) throw new Trouble(`"${text.trim()}" is no filter; there are ${FILTER_NAMES.join(', ')}`);
  try {
    return maker(argument === undefined ? undefined : unquote(argument.trim()));
  } catch (error) {
    throw new Trouble(`the filter "${name}" ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** How a value appears in text: nothing for missing values, JSON for objects. */
export function asText(value: unknown): string {
  if (value === undefined || value === null || typeof value === 'function') return '';
  if (isDate(value)) return toIso(value);
  return typeof value === 'object' ? toJson(value) : scalarText(value);
}

function unquote(text: string): string {
  return /^"[\s\S]*"$|^'[\s\S]*'$/.test(text) ? text.slice(1, -1) : text;
}

/** Splits at `|` outside quotes. */
export function splitPipes(text: string): string[] {
  return (text.match(/(?:"[^"]*"|'[^']*'|[^|])+/g) ?? []).map((part) => part.trim());
}
