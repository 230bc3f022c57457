/** Transforms other than expressions: from the source value to a new one. */
import { toNumber } from './convert';
import { conversion } from './units';
import { scalarText, Trouble } from './trouble';

export type Transform = (value: unknown) => unknown;

const NUMBER = String.raw`([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)`;
const ARROW = String.raw`\s*(?:->|→|>)\s*`;
const LINEAR = new RegExp(`^${NUMBER}(?:\\s*[,;]\\s*|\\s+)?${NUMBER}?$`, 'i');
const RANGES = new RegExp(`^${NUMBER}\\s*\\.\\.\\s*${NUMBER}${ARROW}${NUMBER}\\s*\\.\\.\\s*${NUMBER}$`, 'i');
const UNITS = new RegExp(`^(.+?)${ARROW}(.+)$`);

/** `0.1` (factor), `0.1, -40` (factor, offset) or `4..20 -> 0..100` (ranges, not clamped). */
export function scale(setting: string): Transform {
  const text = setting.trim();
  const ranges = RANGES.exec(text)?.slice(1).map(Number);
  if (ranges) {
    const [fromLow = 0, fromHigh = 0, toLow = 0, toHigh = 0] = ranges;
    if (fromLow === fromHigh) throw new Trouble(`the scale "${text}" starts from an empty range`);
    return (value) => tidy(toLow + ((toNumber(value) - fromLow) * (toHigh - toLow)) / (fromHigh - fromLow));
  }
  const linear = LINEAR.exec(text);
  if (!linear) throw new Trouble(`"${text}" is no scale such as "0.1", "0.1, -40" or "4..20 -> 0..100"`);
  const [factor, offset] = [Number(linear[1]), Number(linear[2] ?? 0)];
  return (value) => tidy(toNumber(value) * factor + offset);
}

/** `°F -> °C`. */
export function unit(setting: string): Transform {
  const [, from, to] = UNITS.exec(setting.trim()) ?? [];
  if (from === undefined || to === undefined) {
    throw new Trouble(`"${setting.trim()}" is no conversion such as "°F -> °C"`);
  }
  const found = conversion(from, to);
  if ('problem' in found) throw new Trouble(found.problem);
  return (value) => tidy(toNumber(value) * found.factor + found.offset);
}

/** 212 °F are 100 °C, not 100.00000000000001: binary fractions leave noise in the last two digits. */
function tidy(value: number): number {
  return Number(value.toPrecision(14));
}

export interface LookupRow {
  readonly table: string;
  readonly key: string;
  readonly value: string;
}

/** The key `*` stands for every value that has no row. Undefined where nothing matches. */
export function lookup(setting: string, rows: readonly LookupRow[]): Transform {
  const names = [...new Set(rows.map(({ table }) => table))];
  const name = setting.trim() || (names.length === 1 ? (names[0] ?? '') : '');
  if (!names.includes(name)) {
    const known = names.length > 0 ? `there are ${names.join(', ')}` : 'there is none';
    throw new Trouble(`"${name}" is no lookup table; ${known}`);
  }
  const values = new Map(rows.filter(({ table }) => table === name).map(({ key, value }) => [key, value]));
  return (value) => {
    if (typeof value === 'object') throw new Trouble('an object cannot be looked up');
    return values.get(scalarText(value)) ?? values.get('*');
  };
}
