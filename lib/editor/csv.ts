/** CSV and TSV (RFC 4180), as spreadsheets write them to files and to the clipboard. */

/** Rows of cells. The delimiter is the tab, semicolon or comma that the first line holds, in this order. */
export function parseDelimited(text: string): string[][] {
  const source = text.replace(/^\uFEFF/, '');
  const delimiter = delimiterOf(source);
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < source.length) {
    const [cell, end] = source[at] === '"' ? quoted(source, at) : plain(source, at, delimiter);
    row.push(cell);
    at = end;
    if (source[at] === delimiter) {
      at += 1;
      if (at === source.length || source[at] === '\n' || source[at] === '\r') row.push('');
    }
    if (at >= source.length || source[at] === '\n' || source[at] === '\r') {
      rows.push(row);
      row = [];
      at += source.startsWith('\r\n', at) ? 2 : 1;
    }
  }
  return rows.filter((cells) => cells.some((cell) => cell.trim() !== ''));
}

function delimiterOf(text: string): string {
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  return ['\t', ';', ','].find((one) => line.includes(one)) ?? '\t';
}

function plain(text: string, from: number, delimiter: string): [string, number] {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return [text.slice(from, at).trim(), at];
}

/** Reads to the closing quote; a missing one ends with the text, so that no input can hang the editor. */
function quoted(text: string, from: number): [string, number] {
  let cell = '';
  let at = from + 1;
  while (at < text.length) {
    const end = text.indexOf('"', at);
    if (end < 0) return [cell + text.slice(at), text.length];
    cell += text.slice(at, end);
    if (text[end + 1] !== '"') {
      const rest = /^[^\r\n\t;,]*/.exec(text.slice(end + 1))?.[0] ?? '';
      return [cell, end + 1 + rest.length];
    }
    cell += '"';
    at = end + 2;
  }
  return [cell, at];
}

export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map(quote).join(',')).join('\r\n') + '\r\n';
}

/** A leading apostrophe keeps a spreadsheet from running a cell as a formula; `unguard` takes it off. */
function quote(cell: string): string {
  const safe = /^[=@\t]|^[+-](?![\d.]+$)/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export function unguard(cell: string): string {
  return /^'[=@\t+-]/.test(cell) ? cell.slice(1) : cell;
}
