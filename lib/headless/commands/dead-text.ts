/** Dead letters for people at a terminal of 80 to 120 columns. */
import type { DeadFacts, DeadPage, ShownLetter } from '../../queue/dead';
import { cell, columnsOf, cut, harmless, harmlessLines } from './harmless';

const GAP = '  ';

interface Column {
  readonly title: string;
  readonly most: number;
  readonly text: (letter: DeadFacts) => string;
}
const COLUMNS: readonly Column[] = [
  { title: 'NO', most: 16, text: ({ number }) => String(number) },
  { title: 'LAST FAILURE', most: 17, text: ({ lastAt }) => minute(lastAt) },
  { title: 'TRIES', most: 5, text: ({ attempts }) => String(attempts) },
  { title: 'CODE', most: 20, text: ({ code }) => code },
  { title: 'NODE', most: 14, text: ({ source }) => source.name || source.node },
  { title: 'QUEUE', most: 14, text: ({ queue }) => queue },
];
/** Queues come where there is room for them. */
const ROOMY = 100;
const LEAST_REASON = 10;

/** A table, what the store holds, and how to see more. No line is wider than `width`. */
export function pageLines(page: DeadPage, width: number): string[] {
  const { letters, next, totals } = page;
  const columns = width < ROOMY ? COLUMNS.slice(0, -1) : COLUMNS;
  const widths = columns.map(({ title, most, text }) => {
    const longest = letters.reduce(
      (all, letter) => Math.max(all, columnsOf(harmless(text(letter)))),
      title.length,
    );
    return Math.min(most, longest);
  });
  const used = widths.reduce((all, one) => all + one + GAP.length, 0);
  const reason = Math.max(LEAST_REASON, width - used);
  const line = (cells: readonly string[], last: string): string =>
    [...cells.map((text, i) => cell(text, widths[i] ?? 0)), cut(last, reason)].join(GAP).trimEnd();
  const rows = letters.map((letter) =>
    line(
      columns.map(({ text }) => text(letter)),
      letter.reason,
    ),
  );
  const head =
    letters.length > 0
      ? [
          line(
            columns.map(({ title }) => title),
            'REASON',
          ),
        ]
      : [];
  const dropped = totals.dropped > 0 ? `; ${totals.dropped} made room for newer ones` : '';
  const more = next === null ? [] : [`More: --after ${next}`];
  return [
    ...head,
    ...rows,
    `${letters.length} shown of ${totals.records} dead letters, ${totals.bytes} bytes${dropped}.`,
    ...more,
  ];
}

/** All facts of one letter, its history and its message. */
export function letterLines(letter: ShownLetter): string[] {
  const { source } = letter;
  const node = [source.name, `${source.type} ${source.node}`, source.flow && `flow ${source.flow}`];
  const facts: readonly (readonly [string, string])[] = [
    ['number', String(letter.number)],
    ['queue', letter.queue],
    ['id', letter.id],
    ['key', letter.key],
    ['node', node.filter(Boolean).join(', ')],
    ['failure', `${letter.kind} ${letter.code}`],
    ['reason', letter.reason],
    ['attempts', String(letter.attempts)],
    ['first', letter.firstAt],
    ['last', letter.lastAt],
    ['made', letter.time],
    ['bytes', String(letter.bytes)],
  ];
  return [
    ...facts.filter(([, text]) => text !== '').map(([name, text]) => `${name.padEnd(9)} ${harmless(text)}`),
    ...letter.history.map(
      (one, i) =>
        `${i === 0 ? 'history  ' : '         '} ${harmless(`${one.at} ${one.code}: ${one.reason}`)}`,
    ),
    'message',
    letter.unreadable === undefined ? harmlessLines(indented(letter.message)) : harmless(letter.unreadable),
  ];
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function minute(iso: string): string {
  return iso === '' ? '?' : `${iso.slice(0, 16).replace('T', ' ')}Z`;
}
