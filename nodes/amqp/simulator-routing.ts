/** How exchanges route: direct, fanout, topic and headers, from section 3.1.3 of the specification. */
import type { Field } from './simulator-wire';

export interface Binding {
  readonly source: string;
  readonly kind: 'queue' | 'exchange';
  readonly destination: string;
  readonly key: string;
  readonly args: readonly Field[];
}

export type ExchangeKind = 'direct' | 'fanout' | 'topic' | 'headers';
export const EXCHANGE_KINDS: readonly string[] = ['direct', 'fanout', 'topic', 'headers'];

export function matches(
  kind: ExchangeKind,
  binding: Binding,
  key: string,
  headers: readonly Field[],
): boolean {
  switch (kind) {
    case 'direct':
      return binding.key === key;
    case 'fanout':
      return true;
    case 'topic':
      return topicMatches(binding.key.split('.'), key.split('.'));
    case 'headers':
      return headersMatch(binding.args, headers);
  }
}

/** `*` is exactly one word, `#` any number of words. Rows instead of recursion: "#.#.#" must not take for ever. */
export function topicMatches(pattern: readonly string[], words: readonly string[]): boolean {
  let row = [true, ...words.map(() => false)];
  for (const part of pattern) {
    const next: boolean[] = [part === '#' && row[0] === true];
    words.forEach((word, i) => {
      const here = row[i] === true && (part === word || part === '*');
      next.push(part === '#' ? row[i + 1] === true || next[i] === true : here);
    });
    row = next;
  }
  return row[words.length] === true;
}

/** `x-match` is "all" unless it says "any"; names that begin with "x-" are not compared. */
function headersMatch(args: readonly Field[], headers: readonly Field[]): boolean {
  const wanted = args.filter(({ key }) => !key.startsWith('x-'));
  const has = (one: Field): boolean =>
    headers.some(
      ({ key, tag, raw }) => key === one.key && (one.tag === 'V' || (tag === one.tag && raw.equals(one.raw))),
    );
  const any = args.some(({ key, raw }) => key === 'x-match' && raw.subarray(4).toString() === 'any');
  return any ? wanted.some(has) : wanted.every(has);
}
