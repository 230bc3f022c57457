/** Blanks out credentials of the query that a server writes back, in whatever spelling. */
import type { Answer } from './session';

const MASK = '•••';
/** Shorter ones would blank out half of every text, so they count only behind their name. */
const SHORTEST = 4;

/** Finds the values of these query parameters; undefined where there are none. */
export function credentialPattern(query: Readonly<Record<string, string>>): RegExp | undefined {
  const sources = Object.entries(query)
    .filter(([, value]) => value !== '')
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([name, value]) => spelled(value, value.length < SHORTEST ? `(?<=${spelled(`${name}=`)})` : ''));
  return sources.length > 0 ? new RegExp(sources.join('|'), 'g') : undefined;
}

/** The headers without credentials; those that came, where the request carried none in its query. */
export function maskedHeaders({ headers, credentials }: Answer): Answer['headers'] {
  if (!credentials) return headers;
  const clean = (text: string): string => masked(text, credentials);
  const entries = Object.entries(headers);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? clean(value) : value.map(clean)]),
  );
}

export function masked(text: string, credentials: RegExp | undefined): string {
  return credentials ? text.replace(credentials, MASK) : text;
}

/** Each character as itself, percent-encoded (once or more), escaped, or as UTF-8 that was read as Latin-1. */
function spelled(text: string, before = ''): string {
  return before + Array.from(text, spellings).join('');
}

function spellings(char: string): string {
  const bytes = Buffer.from(char, 'utf8');
  const hex = Array.from(bytes, (byte) => `%(?:25)*${byte.toString(16).padStart(2, '0')}`).join('');
  const forms = [
    `\\\\?${escaped(char)}`,
    hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`),
  ];
  if (char === ' ') forms.push('\\+');
  if (bytes.length > 1) forms.push(escaped(bytes.toString('latin1')));
  return `(?:${forms.join('|')})`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
