/** A setting as an input shows it. An object is no text: it would show as "[object Object]". */
export function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
