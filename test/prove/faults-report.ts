/** One row of what was tried and what came of it. */
import type { Verdict } from './check';
import { table } from './table';

export interface Row {
  readonly what: string;
  readonly tries: number;
  readonly messages: number;
  readonly refused: number;
  readonly duplicated: number;
  /** From the end of the fault until the next message was accepted, the longest; 0 where nothing was refused. */
  readonly resumedMs: number;
  readonly faults: readonly string[];
}

export function faultsOf(verdict: Verdict): string[] {
  return [...verdict.lost.map((id) => `${id} is lost.`), ...verdict.disordered, ...verdict.wrong];
}

const MOST_TEXT = 400;

export function printRows(rows: readonly Row[]): void {
  const head = ['fault', 'tries', 'messages', 'refused', 'duplicated', 'resumed after ms', 'violations'];
  const cells = rows.map(({ what, tries, messages, refused, duplicated, resumedMs, faults }) => [
    what,
    ...[tries, messages, refused, duplicated, Math.round(resumedMs), faults.length],
  ]);
  console.log(table(head, cells));
  for (const { what, faults } of rows)
    for (const fault of faults.slice(0, 5)) console.log(`✘ ${what}: ${fault.slice(0, MOST_TEXT)}`);
}
