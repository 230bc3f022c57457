/**
 * Property paths such as `a.b[2]["c d"]` that can never reach a prototype (CWE-1321).
 * Only own properties are read; `__proto__`, `constructor` and `prototype` are refused.
 */
import { Failure } from './failure';

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const SEGMENT = /([^.[\]"']+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]/y;
const LONGEST = 64;
/** A larger index would make a sparse array that no JSON writer survives. */
const LARGEST_INDEX = 100_000;

export type Path = readonly (string | number)[];

/** Parses a path; throws a `config` Failure that quotes the path. */
export function parsePath(text: string): Path {
  const path: (string | number)[] = [];
  let at = 0;
  while (at < text.length) {
    if (path.length > 0 && text[at] === '.') at += 1;
    SEGMENT.lastIndex = at;
    const match = SEGMENT.exec(text);
    if (!match) throw badPath(text, 'is not a property path such as "payload.temperature[0]"');
    const [whole, name, index, double, single] = match;
    const quoted = double ?? single;
    path.push(index !== undefined ? Number(index) : (name ?? quoted?.replace(/\\(.)/g, '$1') ?? ''));
    at += whole.length;
  }
  if (path.length === 0) throw badPath(text, 'is empty');
  if (path.length > LONGEST) throw badPath(text, `has more than ${LONGEST} segments`);
  if (path.some((part) => typeof part === 'number' && part > LARGEST_INDEX)) {
    throw badPath(text, `holds an index above ${LARGEST_INDEX}`);
  }
  if (path.some((part) => FORBIDDEN.has(String(part)))) throw badPath(text, 'would reach a prototype');
  return path;
}

function badPath(text: string, why: string): Failure {
  return new Failure('config', 'BAD_CONFIG', `The path "${text.slice(0, 100)}" ${why}.`, { reached: false });
}

export function getPath(root: unknown, path: Path): unknown {
  let value: unknown = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** Sets a value and creates what is missing on the way. Returns false when a scalar stands in the way. */
export function setPath(root: object, path: Path, value: unknown): boolean {
  let target = root as Record<string | number, unknown>;
  for (const [i, part] of path.entries()) {
    if (FORBIDDEN.has(String(part))) return false;
    if (i === path.length - 1) {
      target[part] = value;
      return true;
    }
    const next = Object.hasOwn(target, part) ? target[part] : undefined;
    if (next === undefined || next === null) target[part] = typeof path[i + 1] === 'number' ? [] : {};
    else if (typeof next !== 'object') return false;
    target = target[part] as Record<string | number, unknown>;
  }
  return false;
}

export function deletePath(root: object, path: Path): void {
  const parent = path.length === 1 ? root : getPath(root, path.slice(0, -1));
  const last = path.at(-1);
  if (typeof parent !== 'object' || parent === null || last === undefined) return;
  if (Array.isArray(parent) && typeof last === 'number') parent.splice(last, 1);
  else Reflect.deleteProperty(parent, last);
}
