import { Failure } from '../core';
import { DECIMAL_DIGITS, ERRORS, MAX_DEPTH, MAX_HOLES, TAG, VIEWS } from './codec-kinds';
import { isIndex } from './codec-write';

type Node = Record<string, unknown>;

const NUMBERS: Readonly<Record<string, number>> = {
  NaN: NaN,
  Infinity: Infinity,
  '-Infinity': -Infinity,
  '-0': -0,
};

/** Fills an object; yields each encoded value in it and is given what it means. */
type Filling = Generator<unknown, void, unknown>;

/** An object that is being filled, and what its next value is. */
interface Frame {
  readonly filling: Filling;
  value: unknown;
}

/**
 * Brings tagged values back. What it is given must come from `JSON.parse` and is used up: plain objects stay. What is
 * nested stands on a list, not on the stack.
 */
export class Reader {
  readonly #frames: Frame[] = [];
  readonly #refs = new Map<number, object>();
  #holes = 0;

  read(node: unknown): unknown {
    const root = this.#begin(node, 0);
    for (let frame = this.#frames.at(-1); frame; frame = this.#frames.at(-1)) {
      const next = frame.filling.next(frame.value);
      if (next.done) this.#frames.pop();
      else frame.value = this.#begin(next.value, 0);
    }
    return root;
  }

  /** The value, or an object that is filled next. `id` is its name when it is shared. */
  #begin(node: unknown, id: number): unknown {
    if (typeof node !== 'object' || node === null) return node;
    if (!Array.isArray(node) && Object.hasOwn(node, TAG)) return this.#tagged(node as Node, id);
    return this.#made(node, id, fill(node, node as Node));
  }

  #made(value: object, id: number, filling?: Filling): object {
    if (this.#frames.length >= MAX_DEPTH) throw unreadable(`it is nested deeper than ${MAX_DEPTH} levels`);
    if (id > 0) this.#refs.set(id, value);
    if (filling) this.#frames.push({ filling, value: undefined });
    return value;
  }

  #tagged(node: Node, id: number): unknown {
    const tag = node[TAG];
    switch (tag) {
      case 'undefined':
        return undefined;
      case 'number':
        return numberOf(node['value']);
      case 'BigInt':
        return bigintOf(node['value']);
      case 'ref':
        return this.#ref(node['id']);
      case 'shared':
        return this.#shared(node, id);
      case 'Map': {
        const made = new Map<unknown, unknown>();
        return this.#made(made, id, fillMap(made, listIn(node)));
      }
      case 'Set': {
        const made = new Set<unknown>();
        return this.#made(made, id, fillSet(made, listIn(node)));
      }
      case 'array':
        return this.#container(this.#sparse(node), node, id);
      case 'object':
        return this.#container({}, node, id);
      case 'bare':
        return this.#container(Object.create(null) as object, node, id);
      case 'Error':
        return this.#container(emptyError(node), node, id, objectIn(node, 'hidden'));
      default:
        return this.#made(leafOf(tag, node), id);
    }
  }

  #container(target: object, node: Node, id: number, hidden: Node = {}): object {
    return this.#made(target, id, fillBoth(target, hidden, objectIn(node, 'value')));
  }

  #ref(id: unknown): object {
    const value = typeof id === 'number' ? this.#refs.get(id) : undefined;
    if (!value) throw unreadable('a reference points to nothing');
    return value;
  }

  #shared(node: Node, outer: number): unknown {
    const { id, value } = node;
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1 || outer > 0 || this.#refs.has(id))
      throw unreadable('a shared value has no name of its own');
    const made = this.#begin(value, id);
    if (this.#refs.get(id) !== made) throw unreadable('a shared value is not an object');
    return made;
  }

  #sparse(node: Node): unknown[] {
    const length = node['length'];
    const keys = Object.keys(objectIn(node, 'value'));
    const indexes = keys.filter(isIndex);
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || keys.includes('length'))
      throw unreadable('an array has no length');
    this.#holes += length - indexes.length;
    if (length < indexes.length || this.#holes > MAX_HOLES || indexes.some((key) => Number(key) >= length))
      throw unreadable('the length of an array is wrong');
    const array: unknown[] = [];
    array.length = length;
    return array;
  }
}

/** Sets own properties, also one called `__proto__`, without ever reaching a prototype. */
function* fill(target: object, from: Node, enumerable = true): Filling {
  for (const key of Object.keys(from)) {
    const value = yield from[key];
    if (target === from && value === from[key]) continue;
    Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
  }
}

function* fillBoth(target: object, hidden: Node, visible: Node): Filling {
  yield* fill(target, hidden, false);
  yield* fill(target, visible);
}

function* fillSet(made: Set<unknown>, list: readonly unknown[]): Filling {
  for (const item of list) made.add(yield item);
  if (made.size !== list.length) throw unreadable('a Set holds a value twice');
}

function* fillMap(made: Map<unknown, unknown>, list: readonly unknown[]): Filling {
  for (const item of list) {
    if (!Array.isArray(item) || item.length !== 2) throw unreadable('an entry of a Map is not a pair');
    const key = yield item[0];
    made.set(key, yield item[1]);
  }
  if (made.size !== list.length) throw unreadable('a Map holds a key twice');
}

/** Values without others in them. */
function leafOf(tag: unknown, node: Node): object {
  if (tag === 'Date') return dateOf(node['value']);
  if (tag === 'RegExp') return regexpOf(node);
  const view = typeof tag === 'string' ? VIEWS.get(tag) : undefined;
  if (!view && tag !== 'Buffer' && tag !== 'ArrayBuffer')
    throw unreadable('it holds a value of an unknown kind');
  const bytes = bytesOf(node['value']);
  if (tag === 'Buffer') return bytes;
  const memory = new ArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  if (!view) return memory;
  try {
    return new view(memory);
  } catch {
    throw unreadable(`the number of bytes does not fit a ${String(tag)}`);
  }
}

function emptyError(node: Node): Error {
  const name = node['name'];
  const make = typeof name === 'string' ? ERRORS.get(name) : undefined;
  if (!make) throw unreadable('an error has no well-known name');
  const error = new make();
  for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key);
  return error;
}

function listIn(node: Node): readonly unknown[] {
  const { value } = node;
  if (!Array.isArray(value)) throw unreadable('a tagged value has no list');
  return value as unknown[];
}

function objectIn(node: Node, key: string): Node {
  const value = Object.hasOwn(node, key) ? node[key] : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable('a tagged value is incomplete');
  return value as Node;
}

function numberOf(value: unknown): number {
  if (typeof value !== 'string' || !Object.hasOwn(NUMBERS, value)) throw unreadable('a number is wrong');
  return NUMBERS[value] ?? NaN;
}

function bigintOf(value: unknown): bigint {
  if (typeof value !== 'string' || !/^-?(?:0x[\da-f]+|\d+)$/.test(value))
    throw unreadable('a BigInt is wrong');
  const isHex = value.includes('x');
  if (!isHex && value.length > DECIMAL_DIGITS + 1) throw unreadable('a decimal BigInt is too long');
  try {
    return isHex && value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value);
  } catch {
    throw unreadable('a BigInt is too large');
  }
}

function dateOf(value: unknown): Date {
  if (value === null) return new Date(NaN);
  const date = new Date(typeof value === 'string' ? value : NaN);
  if (Number.isNaN(date.getTime())) throw unreadable('a date is wrong');
  return date;
}

function regexpOf(node: Node): RegExp {
  const { source, flags, lastIndex } = node;
  if (typeof source !== 'string' || typeof flags !== 'string' || !Number.isSafeInteger(lastIndex))
    throw unreadable('a regular expression is incomplete');
  try {
    const made = new RegExp(source, flags);
    made.lastIndex = lastIndex as number;
    return made;
  } catch {
    throw unreadable('a regular expression is wrong');
  }
}

function bytesOf(value: unknown): Buffer {
  const isBase64 = typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z\d+/]*={0,2}$/.test(value);
  if (!isBase64) throw unreadable('bytes are not base64');
  return Buffer.from(value, 'base64');
}

/** Never holds a part of the message: it may be confidential. */
export function unreadable(why: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', `The stored message cannot be read: ${why}.`, {
    reached: false,
  });
}
