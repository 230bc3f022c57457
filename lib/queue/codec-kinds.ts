/** Which values the codec knows, told apart without running any code of theirs. */
import { isDeepStrictEqual, types } from 'node:util';

/** The property that marks an encoded value; objects of the user that have one are escaped. */
export const TAG = '$holdfast';
/** Levels of nesting. What reads and writes is recursive, and must fit on any stack. */
export const MAX_DEPTH = 2_000;
/** Missing elements of all arrays of a message together: they cost no text, but memory when they come back. */
export const MAX_HOLES = 1_000_000;
/** Decimal digits are for people; a longer BigInt is written in hexadecimal, which takes linear time. */
export const DECIMAL_DIGITS = 1_000;

export type Kind =
  | 'object'
  | 'bare'
  | 'array'
  | 'Buffer'
  | 'view'
  | 'ArrayBuffer'
  | 'Date'
  | 'RegExp'
  | 'Map'
  | 'Set'
  | 'Error';

export type View = NodeJS.TypedArray | DataView;
export type ViewClass = new (buffer: ArrayBuffer) => View;

const VIEW_NAMES =
  'Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array ' +
  'BigUint64Array Float16Array Float32Array Float64Array DataView';

/** By name; `Float16Array` only where the runtime has it. */
export const VIEWS: ReadonlyMap<string, ViewClass> = new Map(
  VIEW_NAMES.split(' ').flatMap((name) => {
    const made = (globalThis as Readonly<Record<string, unknown>>)[name];
    return typeof made === 'function' ? [[name, made as ViewClass]] : [];
  }),
);

export const ERRORS: ReadonlyMap<string, new () => Error> = new Map<string, new () => Error>([
  ['Error', Error],
  ['TypeError', TypeError],
  ['RangeError', RangeError],
  ['SyntaxError', SyntaxError],
  ['ReferenceError', ReferenceError],
  ['EvalError', EvalError],
  ['URIError', URIError],
  ['AggregateError', AggregateError.bind(undefined, []) as unknown as new () => Error],
]);

/** Undefined: a proxy, an instance of a class, or anything else that cannot be brought back. */
export function kindOf(value: object): Kind | undefined {
  if (types.isProxy(value)) return undefined;
  if (Array.isArray(value)) return isArrayRoot(Object.getPrototypeOf(value)) ? 'array' : undefined;
  const proto: unknown = Object.getPrototypeOf(value);
  // Even `instanceof` would run its code.
  if (types.isProxy(proto)) return undefined;
  if (proto === null) return types.isExternal(value) ? undefined : 'bare';
  if (isObjectRoot(proto)) return types.isArgumentsObject(value) ? undefined : 'object';
  if (Buffer.isBuffer(value))
    return proto === Buffer.prototype && isOwnMemory(value.buffer) ? 'Buffer' : undefined;
  if (ArrayBuffer.isView(value)) return isPlainView(value as View) ? 'view' : undefined;
  return kindOfClass(value);
}

function kindOfClass(value: object): Kind | undefined {
  if (types.isArrayBuffer(value))
    return isOwnMemory(value) && isBuiltIn(value, 'resize') ? 'ArrayBuffer' : undefined;
  if (types.isDate(value)) return isBuiltIn(value, 'getTime') ? 'Date' : undefined;
  if (types.isMap(value)) return isBuiltIn(value, 'forEach') ? 'Map' : undefined;
  if (types.isSet(value)) return isBuiltIn(value, 'forEach') ? 'Set' : undefined;
  if (types.isRegExp(value)) return isBuiltIn(value, 'exec') ? 'RegExp' : undefined;
  // Safe to ask: nothing on a built-in prototype chain runs code of the value.
  return errorName(value) !== undefined && Object.prototype.toString.call(value) === '[object Error]'
    ? 'Error'
    : undefined;
}

/**
 * The prototype of plain objects, of this realm or of another: a function node runs in a realm of its own, so
 * that what it makes has other prototypes.
 */
export function isObjectRoot(proto: unknown): boolean {
  if (proto === Object.prototype) return true;
  if (typeof proto !== 'object' || proto === null || types.isProxy(proto)) return false;
  if (Object.getPrototypeOf(proto) !== null) return false;
  return Object.hasOwn(proto, 'isPrototypeOf') && Object.hasOwn(proto, '__lookupGetter__');
}

export function isArrayRoot(proto: unknown): boolean {
  if (proto === Array.prototype) return true;
  if (types.isProxy(proto)) return false;
  return Array.isArray(proto) && isObjectRoot(Object.getPrototypeOf(proto));
}

/** Its prototype is the built-in one: directly below the root, and with the method that only it defines. */
function isBuiltIn(value: object, method: string): boolean {
  const proto = safePrototype(value);
  return proto !== undefined && Object.hasOwn(proto, method) && isObjectRoot(safePrototype(proto));
}

function isPlainView(view: View): boolean {
  if (!isOwnMemory(view.buffer)) return false;
  if (types.isDataView(view)) return isBuiltIn(view, 'getInt8');
  const family = safePrototype(safePrototype(view));
  return family !== undefined && Object.hasOwn(family, 'subarray') && isObjectRoot(safePrototype(family));
}

/** Neither shared with another thread, nor of changing size, nor handed over to one. */
function isOwnMemory(buffer: ArrayBufferLike): boolean {
  if (!types.isArrayBuffer(buffer)) return false;
  const { resizable, detached } = buffer as { readonly resizable?: boolean; readonly detached?: boolean };
  return resizable !== true && detached !== true;
}

/** The well-known constructor that made it; undefined for any other. */
export function errorName(error: object): string | undefined {
  const proto = safePrototype(error);
  if (proto === undefined) return undefined;
  const name: unknown = Object.getOwnPropertyDescriptor(proto, 'name')?.value;
  if (typeof name !== 'string' || !ERRORS.has(name)) return undefined;
  const above = name === 'Error' ? proto : safePrototype(proto);
  const isError = above !== undefined && Object.hasOwn(above, 'message') && Object.hasOwn(above, 'toString');
  return isError && isObjectRoot(safePrototype(above)) ? name : undefined;
}

function safePrototype(value: object | undefined): object | undefined {
  if (value === undefined || types.isProxy(value)) return undefined;
  return (Object.getPrototypeOf(value) as object | null) ?? undefined;
}

/**
 * Whether bytes carry properties of their own. Listing the keys would list every index; the comparison with a
 * fresh view of the same memory looks only at the others.
 */
export function hasExtraProperties(bytes: View): boolean {
  const fresh = Buffer.isBuffer(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : viewOf(bytes);
  Object.setPrototypeOf(fresh, Object.getPrototypeOf(bytes) as object);
  return !isDeepStrictEqual(fresh, bytes);
}

function viewOf(bytes: View): object {
  const made = VIEWS.get(viewName(bytes)) as unknown as new (
    b: ArrayBufferLike,
    o: number,
    n: number,
  ) => object;
  const size = 'BYTES_PER_ELEMENT' in bytes ? bytes.BYTES_PER_ELEMENT : 1;
  return new made(bytes.buffer, bytes.byteOffset, bytes.byteLength / size);
}

/** `Float32Array` and the like; right in every realm. */
export function viewName(view: View): string {
  return view[Symbol.toStringTag];
}

/** What a person calls it: "a function", "an IncomingMessage". Runs no code of the value. */
export function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  if (types.isProxy(value)) return 'a proxy';
  const proto = safePrototype(value);
  const made: unknown = proto && Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
  const name: unknown =
    typeof made === 'function' && !types.isProxy(made)
      ? Object.getOwnPropertyDescriptor(made, 'name')?.value
      : undefined;
  if (typeof name !== 'string' || name === '') return 'an object of an unknown class';
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name.slice(0, 60)}`;
}
