import { types } from 'node:util';

/** Deeper data is not hashed; the limit keeps recursion far from the end of the stack. */
const DEEPEST = 500;
/** Characters of the result, 16 Mi: what is larger would hold up the event loop. */
const LARGEST = 16_777_216;
/** What each value costs besides its text: data that is mostly structure is slow as well. */
const PER_VALUE = 8;
/** Everything JSON must escape, and surrogates, which need a closer look. */
const SPECIAL = /["\\\p{Cc}\ud800-\udfff]/u;
const LONE_SURROGATE = /\p{Surrogate}/u;

class NotJson extends Error {}

/**
 * Canonical JSON after RFC 8785 (JCS): no blanks, properties sorted by UTF-16 units, numbers and strings as
 * ECMAScript writes them. Dates are written as their ISO text, properties that are undefined are left out, as
 * JSON.stringify does.
 *
 * @returns undefined where the value is not JSON: NaN, Infinity, BigInt, functions, symbols, binary data, maps,
 * lone surrogates, cycles, more than 500 levels, or more than 16 Mi characters.
 */
export function canonical(value: unknown): string | undefined {
  try {
    return new Writer().write(value, 0);
  } catch {
    // NotJson, or a getter of the message that throws.
    return undefined;
  }
}

/** The sorted property names of one shape, with the text that stands before each value. */
interface Shape {
  readonly names: readonly string[];
  readonly sorted: readonly string[];
  readonly prefixes: readonly string[];
}

class Writer {
  #written = 0;
  /** Arrays mostly hold objects of one shape: sorting and escaping their names once pays. */
  #shape: Shape | undefined;

  write(value: unknown, depth: number): string {
    this.#charge(PER_VALUE);
    switch (typeof value) {
      case 'string':
        return this.#count(quote(value));
      case 'number':
        if (!Number.isFinite(value)) throw new NotJson();
        return this.#count(String(value === 0 ? 0 : value));
      case 'boolean':
        return value ? 'true' : 'false';
      case 'object':
        return value === null ? 'null' : this.#object(value, depth + 1);
      default:
        throw new NotJson();
    }
  }

  #object(value: object, depth: number): string {
    // A cycle ends here as well: nothing that is finite and passes the limits can hold one.
    if (depth > DEEPEST) throw new NotJson();
    if (Array.isArray(value)) return this.#array(value, depth);
    if (types.isDate(value)) return this.write(value.toISOString(), depth);
    if (Object.prototype.toString.call(value) !== '[object Object]' || 'toJSON' in value) throw new NotJson();
    const record = value as Readonly<Record<string, unknown>>;
    const { sorted, prefixes } = this.#shapeOf(Object.keys(record));
    let out = '';
    for (let i = 0; i < sorted.length; i += 1) {
      const item = record[sorted[i] as string];
      if (item === undefined) continue;
      out += (out === '' ? '' : ',') + this.#count(prefixes[i] as string) + this.write(item, depth);
    }
    return `{${out}}`;
  }

  #array(value: readonly unknown[], depth: number): string {
    let out = '';
    for (let i = 0; i < value.length; i += 1) out += (i === 0 ? '' : ',') + this.write(value[i], depth);
    return `[${out}]`;
  }

  #shapeOf(names: readonly string[]): Shape {
    const last = this.#shape;
    if (last && last.names.length === names.length && last.names.every((name, i) => name === names[i]))
      return last;
    // The default order of sort is that of UTF-16 units, as section 3.2.3 asks.
    const sorted = [...names].sort();
    return (this.#shape = { names, sorted, prefixes: sorted.map((name) => `${quote(name)}:`) });
  }

  #count(text: string): string {
    this.#charge(text.length);
    return text;
  }

  #charge(characters: number): void {
    this.#written += characters;
    if (this.#written > LARGEST) throw new NotJson();
  }
}

function quote(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) throw new NotJson();
  return JSON.stringify(text);
}
