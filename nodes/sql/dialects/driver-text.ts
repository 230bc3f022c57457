/** A driver's own words, made fit for a sentence: one line, bounded, ending without a full stop. */
const LONGEST = 300;

export function driverText(message: unknown): string {
  const line = (typeof message === 'string' ? message : '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/\.+$/, '');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line || 'no reason given';
}

/** Reads a property of an unknown error without trusting its type. */
export function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;
}
export function textProperty(error: unknown, name: string): string {
  const value = property(error, name);
  return typeof value === 'string' ? value : '';
}
