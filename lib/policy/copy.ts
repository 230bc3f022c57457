/** Deeper values are not copied: a stack must not depend on what a peer sent. */
const DEEPEST = 200;

class NotCopyable extends Error {}

/**
 * A deep copy of plain data: JSON shapes, Buffer, typed arrays, Date, bigint. Undefined for anything else (streams,
 * class instances, functions, cycles), which nobody may share.
 */
export function tryCopy(value: unknown): { readonly value: unknown } | undefined {
  try {
    return { value: copy(value, 0) };
  } catch (error) {
    if (error instanceof NotCopyable) return undefined;
    throw error;
  }
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new NotCopyable();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) throw new NotCopyable();
  if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (value instanceof Date || ArrayBuffer.isView(value)) return structuredClone(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new NotCopyable();
  // fromEntries defines own properties, so an own "__proto__" stays a plain key.
  const entries = Object.entries(value).map(([key, item]) => [key, copy(item, depth + 1)] as const);
  return Object.fromEntries(entries);
}
