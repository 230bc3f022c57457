import { isDeepStrictEqual } from 'node:util';

/** Which object stands for which. */
class Pairs {
  readonly left = new Map<object, object>();
  readonly right = new Map<object, object>();
}

/**
 * Whether two values are the same in every way that a message can tell: values, kinds, order of properties, hidden
 * properties, and which objects are one and the same object.
 */
export function same(left: unknown, right: unknown, pairs = new Pairs()): boolean {
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null)
    return Object.is(left, right);
  const [known, other] = [pairs.left.get(left), pairs.right.get(right)];
  if (known || other) return known === right && other === left;
  pairs.left.set(left, right);
  pairs.right.set(right, left);
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  if (ArrayBuffer.isView(left) || left instanceof ArrayBuffer) return isDeepStrictEqual(left, right);
  return (
    internals(left).every((value, index) => same(value, internals(right)[index], pairs)) &&
    internals(left).length === internals(right).length &&
    sameProperties(left, right, pairs)
  );
}

function sameProperties(left: object, right: object, pairs: Pairs): boolean {
  const [keys, others] = [Reflect.ownKeys(left), Reflect.ownKeys(right)];
  if (!isDeepStrictEqual(keys, others)) return false;
  return keys.every((key) => {
    const [own, other] = [left, right].map((one) => Object.getOwnPropertyDescriptor(one, key));
    // The stack of an error is an accessor of V8's own.
    if (key === 'stack') return (left as Error).stack === (right as Error).stack;
    return own?.enumerable === other?.enumerable && same(own?.value, other?.value, pairs);
  });
}

/** What a built-in holds beside its properties. */
function internals(value: object): unknown[] {
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Set) return [...value];
  if (value instanceof Date) return [value.getTime()];
  if (value instanceof RegExp) return [value.source, value.flags];
  return [];
}
