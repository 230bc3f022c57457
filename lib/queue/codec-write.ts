import { Failure } from '../core';
import {
  DECIMAL_DIGITS,
  describe,
  errorName,
  hasExtraProperties,
  kindOf,
  MAX_DEPTH,
  MAX_HOLES,
  TAG,
  viewName,
  type Kind,
  type View,
} from './codec-kinds';

/** Where the text of an object stands, so that it can be marked as shared when it is met again. */
interface Slot {
  readonly open: number;
  close: number;
  id: number;
}

type Property = readonly [key: string, value: unknown];

/** Writes the content of an object; yields each value in it, which is written before it goes on. */
type Content = Generator<readonly [key: string | number, value: unknown], void>;

/** An object that is being written, and the key of the value in it that is written now. */
interface Frame {
  readonly content: Content;
  readonly slot: Slot;
  key: string | number | undefined;
}

/**
 * Writes any message that can be brought back exactly as JSON with tagged values; refuses every other. What is nested
 * stands on a list, not on the stack.
 */
export class Writer {
  readonly #out: string[] = [];
  readonly #slots = new Map<object, Slot>();
  readonly #frames: Frame[] = [];
  readonly #maxBytes: number;
  #bytes = 0;
  #holes = 0;
  #shared = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  write(root: object): string {
    this.#value(root);
    for (let frame = this.#frames.at(-1); frame; frame = this.#frames.at(-1)) {
      const next = frame.content.next();
      if (next.done) {
        this.#frames.pop();
        frame.slot.close = this.#out.push(frame.slot.id > 0 ? '}' : '') - 1;
      } else {
        frame.key = next.value[0];
        this.#value(next.value[1]);
      }
    }
    return this.#out.join('');
  }

  refuse(what: string, advice?: string): never {
    return this.#refuseAt([], what, advice);
  }

  #refuseAt(
    below: readonly string[],
    what: string,
    advice = 'Remove it, or keep only plain data of it',
  ): never {
    const keys = [...this.#frames.map(({ key }) => key), ...below].filter((key) => key !== undefined);
    const path = pathText(keys);
    const http = keys[0] === 'req' || keys[0] === 'res';
    const remedy = http ? 'Remove msg.req and msg.res, which belong to the open HTTP request' : advice;
    throw new Failure(
      'rejected',
      'NOT_STORABLE',
      `${path} ${what}. ${remedy}, before the message is stored.`,
      {
        reached: false,
        details: { path },
      },
    );
  }

  #put(text: string): void {
    this.#bytes += text.length;
    if (this.#bytes > this.#maxBytes) this.#tooLarge();
    this.#out.push(text);
  }

  #tooLarge(): never {
    this.refuse(
      `makes the message larger than the ${this.#maxBytes} bytes that may be stored`,
      'Make it smaller, or raise the limit',
    );
  }

  #tagged(tag: string, rest = ''): void {
    this.#put(`{"${TAG}":"${tag}"${rest}}`);
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#put(JSON.stringify(value));
      case 'number':
        return this.#number(value);
      case 'boolean':
        return this.#put(value ? 'true' : 'false');
      case 'undefined':
        return this.#tagged('undefined');
      case 'bigint':
        return this.#tagged('BigInt', `,"value":"${bigintText(value)}"`);
      case 'object':
        return value === null ? this.#put('null') : this.#object(value);
      default:
        return this.refuse(`holds ${describe(value)}, which cannot be stored`);
    }
  }

  #number(value: number): void {
    if (Number.isFinite(value) && !Object.is(value, -0)) this.#put(String(value));
    else this.#tagged('number', `,"value":"${Object.is(value, -0) ? '-0' : String(value)}"`);
  }

  #object(value: object): void {
    const known = this.#slots.get(value);
    if (known) return this.#again(known);
    if (this.#frames.length >= MAX_DEPTH)
      this.refuse(`is nested deeper than ${MAX_DEPTH} levels`, 'Make it flatter');
    const kind = kindOf(value);
    if (kind === undefined)
      this.refuse(`holds ${describe(value)}, which cannot be stored and brought back exactly`);
    const slot: Slot = { open: this.#out.push('') - 1, close: -1, id: 0 };
    this.#slots.set(value, slot);
    this.#frames.push({ content: this.#content(value, kind), slot, key: undefined });
  }

  /** A second way to the same object: the first is marked, and this one only points to it. */
  #again(slot: Slot): void {
    if (slot.id === 0) {
      slot.id = this.#shared += 1;
      this.#out[slot.open] = `{"${TAG}":"shared","id":${slot.id},"value":`;
      if (slot.close >= 0) this.#out[slot.close] = '}';
    }
    this.#tagged('ref', `,"id":${slot.id}`);
  }

  *#content(value: object, kind: Kind): Content {
    switch (kind) {
      case 'object':
        return yield* this.#plain(value);
      case 'bare':
        return yield* this.#wrapped('bare', this.#properties(value));
      case 'array':
        return yield* this.#array(value as unknown[]);
      case 'Map':
        return yield* this.#map(value as Map<unknown, unknown>);
      case 'Set':
        return yield* this.#set(value as Set<unknown>);
      case 'Error':
        return yield* this.#error(value as Error);
      case 'Date':
        return this.#date(value as Date);
      case 'RegExp':
        return this.#regexp(value as RegExp);
      default:
        return this.#binary(value as View | ArrayBuffer, kind);
    }
  }

  *#plain(value: object): Content {
    const properties = this.#properties(value);
    if (Object.hasOwn(value, TAG)) yield* this.#wrapped('object', properties);
    else yield* this.#members(properties);
  }

  *#wrapped(tag: string, properties: readonly Property[], rest = ''): Content {
    this.#put(`{"${TAG}":"${tag}"${rest},"value":`);
    yield* this.#members(properties);
    this.#put('}');
  }

  *#members(properties: readonly Property[]): Content {
    let before = '{';
    for (const property of properties) {
      this.#put(`${before}${JSON.stringify(property[0])}:`);
      yield property;
      before = ',';
    }
    this.#put(before === '{' ? '{}' : '}');
  }

  /** Own data properties but those that are named. */
  #properties(value: object, but: readonly string[] = []): Property[] {
    const properties: Property[] = [];
    for (const key of Reflect.ownKeys(value)) {
      if (typeof key === 'symbol') this.refuse('has a property that is named by a symbol');
      if (but.includes(key)) continue;
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (!property || property.get || property.set) this.#refuseProperty(key, 'is computed by a function');
      if (!property.enumerable) this.#refuseProperty(key, 'is hidden (not enumerable)');
      properties.push([key, property.value]);
    }
    return properties;
  }

  #refuseProperty(key: string, what: string): never {
    return this.#refuseAt([key], what);
  }

  #none(value: object, but: readonly string[] = []): void {
    const [first] = this.#properties(value, but);
    if (first) this.#refuseProperty(first[0], `is an extra property of ${describe(value)}`);
  }

  *#array(value: readonly unknown[]): Content {
    // Before its keys are listed, which would be as many.
    if (2 * (value.length - MAX_HOLES) > this.#maxBytes) this.#tooLarge();
    const properties = this.#properties(value, ['length']);
    const isDense =
      properties.length === value.length && properties.every(([key], index) => key === String(index));
    if (isDense) return yield* this.#list(value);
    this.#holes += value.length - properties.filter(([key]) => isIndex(key)).length;
    if (this.#holes > MAX_HOLES)
      this.refuse(`is an array with more than ${MAX_HOLES} missing elements`, 'Make it dense');
    yield* this.#wrapped('array', properties, `,"length":${value.length}`);
  }

  *#list(values: Iterable<unknown>): Content {
    let index = 0;
    for (const value of values) {
      this.#put(index === 0 ? '[' : ',');
      yield [index, value];
      index += 1;
    }
    this.#put(index === 0 ? '[]' : ']');
  }

  *#set(value: Set<unknown>): Content {
    this.#none(value);
    this.#put(`{"${TAG}":"Set","value":`);
    yield* this.#list(Set.prototype.values.call(value));
    this.#put('}');
  }

  *#map(value: Map<unknown, unknown>): Content {
    this.#none(value);
    this.#put(`{"${TAG}":"Map","value":[`);
    let index = 0;
    for (const [key, held] of Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>) {
      this.#put(index === 0 ? '[' : ',[');
      yield [index, key];
      this.#put(',');
      yield [index, held];
      this.#put(']');
      index += 1;
    }
    this.#put(']}');
  }

  #date(value: Date): void {
    this.#none(value);
    const time = Date.prototype.getTime.call(value);
    this.#tagged('Date', `,"value":${Number.isNaN(time) ? 'null' : `"${new Date(time).toISOString()}"`}`);
  }

  #regexp(value: RegExp): void {
    this.#none(value, ['lastIndex']);
    if (!Number.isSafeInteger(value.lastIndex))
      this.refuse('is a regular expression with a strange lastIndex');
    const { source, flags, lastIndex } = value;
    this.#tagged('RegExp', `,"source":${JSON.stringify(source)},"flags":"${flags}","lastIndex":${lastIndex}`);
  }

  #binary(value: View | ArrayBuffer, kind: Kind): void {
    // Four characters for three bytes: refused before it is written.
    if (this.#bytes + value.byteLength * (4 / 3) > this.#maxBytes) this.#tooLarge();
    const isView = ArrayBuffer.isView(value);
    if (isView ? hasExtraProperties(value) : Reflect.ownKeys(value).length > 0)
      this.refuse(`is ${describe(value)} with extra properties`);
    const bytes = isView
      ? Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)
      : Buffer.from(value);
    this.#tagged(
      isView && kind === 'view' ? viewName(value) : kind,
      `,"value":"${bytes.toString('base64')}"`,
    );
  }

  /** What V8 keeps hidden (message, stack, cause, errors) stands apart, so that it comes back hidden. */
  *#error(error: Error): Content {
    const visible: Property[] = [];
    const hidden: Property[] = [];
    for (const key of Reflect.ownKeys(error)) {
      if (typeof key === 'symbol') this.refuse('has a property that is named by a symbol');
      const property = Object.getOwnPropertyDescriptor(error, key);
      // Newer versions of V8 define the stack by accessors of their own.
      const value: unknown = key === 'stack' ? error.stack : property?.value;
      if (key !== 'stack' && (property?.get || property?.set))
        this.#refuseProperty(key, 'is computed by a function');
      (property?.enumerable ? visible : hidden).push([key, value]);
    }
    this.#put(`{"${TAG}":"Error","name":"${errorName(error) ?? 'Error'}","hidden":`);
    yield* this.#members(hidden);
    this.#put(',"value":');
    yield* this.#members(visible);
    this.#put('}');
  }
}

export function isIndex(key: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(key) && Number(key) < 4_294_967_295;
}

function bigintText(value: bigint): string {
  const hex = value.toString(16);
  if (hex.length * 1.21 < DECIMAL_DIGITS) return value.toString();
  return value < 0n ? `-0x${hex.slice(1)}` : `0x${hex}`;
}

function pathText(path: readonly (string | number)[]): string {
  let text = 'msg';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else
      text += /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(part)
        ? `.${part}`
        : `[${JSON.stringify(part.slice(0, 60))}]`;
    if (text.length > 200) return `${text.slice(0, 200)}…`;
  }
  return text;
}
