/** Joins a scanned text and the message's values into a statement. Values never become part of the text. */
import { Failure } from '../../../lib/core';
import { bindParameter } from '../dialects/values';
import type { Dialect, Statement } from '../dialects/types';
import type { Scanned, Slot } from './scan';

/**
 * `params` is an object for `:name`, an array for `?`. A missing one is refused, because NULL in its place
 * would silently change the meaning. `first` numbers of placeholders are already taken.
 */
export function bind(scanned: Scanned, params: unknown, dialect: Dialect, first = 0): Statement {
  const values: unknown[] = [];
  const numbers = new Map<Slot, number>();
  const reuses = dialect.name === 'postgres' || dialect.name === 'mssql';
  let sql = scanned.texts[0] ?? '';
  scanned.slots.forEach((slot, i) => {
    let number = reuses ? numbers.get(slot) : undefined;
    if (number === undefined) {
      values.push(bindParameter(lookUp(slot, params), dialect.name));
      number = first + values.length;
      numbers.set(slot, number);
    }
    sql += dialect.mark(number) + (scanned.texts[i + 1] ?? '');
  });
  return { sql, values };
}

function lookUp(slot: Slot, params: unknown): unknown {
  if (typeof slot === 'number') {
    if (!Array.isArray(params)) throw missing(`value ${slot + 1}`, 'an array of values');
    if (slot >= params.length)
      throw missing(`value ${slot + 1}`, `${slot + 1} values instead of ${params.length}`);
    return params[slot];
  }
  const isObject = typeof params === 'object' && params !== null && !Array.isArray(params);
  if (!isObject) throw missing(`:${slot}`, `an object with the property "${slot}"`);
  if (!Object.hasOwn(params, slot)) throw missing(`:${slot}`, `the property "${slot}"`);
  return (params as Record<string, unknown>)[slot];
}

function missing(what: string, need: string): Failure {
  const message = `The statement asks for ${what}, but the parameters do not hold it. Give ${need}; null stands for NULL.`;
  return new Failure('rejected', 'BAD_MESSAGE', message, { reached: false, details: { parameter: what } });
}
