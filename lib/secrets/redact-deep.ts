const DEEPEST = 32;
const LARGEST = 10_000;

/** Copies plain data and passes every text through `redact`. What is too deep or too much becomes '…'. */
export function redactValue(value: unknown, redact: (text: string) => string): unknown {
  let left = LARGEST;
  const seen = new Set<object>();
  const copy = (item: unknown, depth: number): unknown => {
    if (typeof item === 'string') return redact(item);
    if (typeof item !== 'object' || item === null) return item;
    left -= 1;
    if (depth > DEEPEST || left < 0 || seen.has(item)) return '…';
    seen.add(item);
    const out = copyObject(item, (child) => copy(child, depth + 1), redact);
    seen.delete(item);
    return out;
  };
  return copy(value, 0);
}

function copyObject(
  item: object,
  copy: (child: unknown) => unknown,
  redact: (text: string) => string,
): unknown {
  if (Array.isArray(item)) return item.slice(0, LARGEST).map(copy);
  if (item instanceof Error) return copyError(item, copy);
  if (ArrayBuffer.isView(item) || item instanceof Date) return item;
  const out: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(item)) {
    // defineProperty, because a hostile property may be named __proto__.
    const value = typeof child === 'function' ? undefined : copy(child);
    Object.defineProperty(out, redact(name), { value, enumerable: true, writable: true, configurable: true });
  }
  return out;
}

function copyError(error: Error, copy: (child: unknown) => unknown): unknown {
  const code = 'code' in error ? { code: copy(error.code) } : {};
  const cause = error.cause === undefined ? {} : { cause: copy(error.cause) };
  return { name: error.name, message: copy(error.message), ...code, ...cause };
}
