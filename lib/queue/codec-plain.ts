import { types } from 'node:util';
import { isArrayRoot, isObjectRoot, MAX_DEPTH, TAG } from './codec-kinds';

/**
 * Whether `JSON.stringify` writes the object in a way that `JSON.parse` brings back exactly. It may say no where yes
 * would be true; then the slower writer decides. `budget` bounds the work: who goes beyond is not plain either.
 */
export function isPlain(root: object, budget: number): boolean {
  return new PlainCheck(budget).object(root, 0);
}

class PlainCheck {
  readonly #seen = new Set<object>();
  #budget: number;

  constructor(budget: number) {
    this.#budget = budget;
  }

  object(value: object, depth: number): boolean {
    if (depth >= MAX_DEPTH || types.isProxy(value) || this.#seen.has(value)) return false;
    this.#seen.add(value);
    const proto: unknown = Object.getPrototypeOf(value);
    // Keys are listed last: of a buffer, or of an array beyond the budget, they would be millions.
    if (!Array.isArray(value))
      return isObjectRoot(proto) && this.#properties(value, Reflect.ownKeys(value), -1, depth);
    const { length } = value;
    return (
      isArrayRoot(proto) &&
      2 * length <= this.#budget &&
      this.#properties(value, Reflect.ownKeys(value), length, depth)
    );
  }

  /** `length` of an array, or -1 for an object. */
  #properties(value: object, keys: readonly (string | symbol)[], length: number, depth: number): boolean {
    const count = length < 0 ? keys.length : length;
    // One more key than elements, `length`: neither holes nor other properties.
    if (length >= 0 && keys.length !== length + 1) return false;
    this.#budget -= 2 * count;
    if (this.#budget < 0) return false;
    for (let i = 0; i < count; i += 1) {
      const key = keys[i];
      if (typeof key !== 'string' || key === TAG || (length >= 0 && key === 'length')) return false;
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (!property?.enumerable || property.get !== undefined || property.set !== undefined) return false;
      if (!this.#value(property.value, depth + 1)) return false;
    }
    return true;
  }

  #value(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'string':
        this.#budget -= value.length;
        return this.#budget >= 0;
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0);
      case 'boolean':
        return true;
      case 'object':
        return value === null || this.object(value, depth);
      default:
        return false;
    }
  }
}
