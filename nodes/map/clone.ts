/** What an expression in the worker may see: a copy of plain data. Sockets, functions and classes stay here. */
import { isDate } from './convert';
import { isPlain } from './assign';
import { Trouble } from './trouble';

const MOST_VALUES = 500_000;

/** Copies several values at once, so that what they share is copied once. Throws a Trouble when too large. */
export function plainCopy<T extends readonly unknown[]>(values: T): { [K in keyof T]: unknown } {
  const seen = new Map<object, unknown>();
  let left = MOST_VALUES;

  const copy = (value: unknown): unknown => {
    left -= 1;
    if (left < 0) throw new Trouble('the message is too large for an expression');
    if (typeof value === 'function' || typeof value === 'symbol') return undefined;
    if (typeof value !== 'object' || value === null) return value;
    if (isDate(value)) return new Date(value);
    if (seen.has(value)) return seen.get(value);
    if (ArrayBuffer.isView(value))
      return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      seen.set(value, list);
      for (const item of value as unknown[]) list.push(copy(item));
      return list;
    }
    if (!isPlain(value)) return undefined;
    const bag: Record<string, unknown> = {};
    seen.set(value, bag);
    for (const [key, item] of Object.entries(value)) if (key !== '__proto__') bag[key] = copy(item);
    return bag;
  };

  return values.map(copy) as { [K in keyof T]: unknown };
}
