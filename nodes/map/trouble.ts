/** Why a rule could not do its work: a part of a sentence, such as `"abc" is no number`. */
export class Trouble extends Error {}

/** A value as an error may quote it: short, on one line. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** JSONata throws plain objects with a message. */
export function textOf(error: unknown): string {
  const text = String(
    typeof error === 'object' && error !== null && 'message' in error ? error.message : error,
  );
  return text.replace(/\.$/, '');
}

/** Texts, numbers and booleans as text; '' for everything else. */
export function scalarText(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? String(value)
    : '';
}
