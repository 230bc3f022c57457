/** Setting values without touching the original: what is on the way is copied once, then changed. */
import type { Path } from '../../lib/core/path';
import { quoted, Trouble } from './trouble';

type Bag = Record<string | number, unknown>;

/**
 * Sets `path` in `root`, which must belong to the caller. Objects on the way are copied unless they are in
 * `owned`; copies join it. The path comes from `parsePath`, so it cannot name a prototype.
 */
export function assign(root: object, path: Path, value: unknown, owned: Set<object>): void {
  let target = root as Bag;
  for (const [i, part] of path.entries()) {
    if (i === path.length - 1) {
      target[part] = value;
      return;
    }
    const next = Object.hasOwn(target, part) ? target[part] : undefined;
    const child = own(next, typeof path[i + 1] === 'number', owned);
    if (!child) {
      const place = path.slice(0, i + 1).join('.');
      throw new Trouble(`${place} holds ${quoted(next)}, so nothing can be set inside it`);
    }
    target[part] = child;
    target = child as Bag;
  }
}

function own(value: unknown, asArray: boolean, owned: Set<object>): object | undefined {
  if (typeof value === 'object' && value !== null && owned.has(value)) return value;
  let copy: object | undefined;
  if (value === undefined || value === null) copy = asArray ? [] : {};
  else if (Array.isArray(value)) copy = [...(value as unknown[])];
  else if (isPlain(value)) copy = { ...value };
  if (copy) owned.add(copy);
  return copy;
}

/** Also for objects of another realm: those of a function node come from its own sandbox. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
