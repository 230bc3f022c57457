/** Texts of messages on a terminal: whatever could move the cursor, hide or reorder text becomes visible. */

/** Controls (C0, DEL, C1), formats (direction, zero width, tags), private use, lone surrogates, line separators. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /\p{M}/u;
/** Marks stacked on one letter take no width, but paint over the lines above. */
const MOST_MARKS = 2;

/** One line: line ends become visible as well. The escapes are JSON's, so JSON text stays what it is. */
export function harmless(text: string): string {
  return text.replace(HARMFUL, escaped);
}

/** Keeps line ends, which are the caller's own. */
export function harmlessLines(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

/** At most `width` columns; what is longer ends with an ellipsis. Harmless already. */
export function cut(text: string, width: number): string {
  const shown = Array.from(withoutStacks(harmless(text)));
  if (columnsOf(shown) <= width) return shown.join('');
  let used = 0;
  let out = '';
  for (const letter of shown) {
    used += columns(letter);
    if (used > width - 1) break;
    out += letter;
  }
  return `${out}…`;
}

/** Cut, and filled with spaces to `width`. */
export function cell(text: string, width: number): string {
  const shown = cut(text, width);
  return shown + ' '.repeat(Math.max(0, width - columnsOf(shown)));
}

export function columnsOf(letters: Iterable<string>): number {
  let all = 0;
  for (const letter of letters) all += columns(letter);
  return all;
}

function columns(letter: string): number {
  return NO_WIDTH.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
}

function withoutStacks(text: string): string {
  return text.replace(/(\p{M}{2})\p{M}+/gu, (_, kept: string) => kept.slice(0, MOST_MARKS));
}

function escaped(harmful: string): string {
  return Array.from({ length: harmful.length }, (_, i) => harmful.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
