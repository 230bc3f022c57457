/**
 * What a process under test tells the ledger, line by line, over a pipe. The ledger is kept by another process, so that
 * no kill can take a line that was written. A step is told before it is asked of the store (`try`, `ending`) and again
 * once the store has answered (`put`, `ended`): between the two its outcome is unknown.
 */
import { writeSync } from 'node:fs';

/** How a delivery ends. */
export type Ending = 'acknowledge' | 'reject' | 'release' | 'deadLetter';

export type LedgerEvent =
  /** A process begins to work on the store. */
  | { readonly e: 'run' }
  /** The store is open. */
  | { readonly e: 'open' }
  | { readonly e: 'try'; readonly id: string; readonly key: string; readonly n: number }
  | { readonly e: 'put'; readonly id: string; readonly result: string }
  /** The store refused the put, so it need not be there. */
  | { readonly e: 'refused'; readonly id: string; readonly code: string }
  | { readonly e: 'got'; readonly id: string; readonly key: string; readonly delivery: number }
  | { readonly e: 'ending'; readonly id: string; readonly how: Ending }
  | { readonly e: 'ended'; readonly id: string; readonly how: Ending; readonly ok: boolean }
  /** Nothing is left in the queue; these are its dead letters and its totals. */
  | { readonly e: 'drained'; readonly dead: readonly string[]; readonly totals: Totals }
  /** The store is in trouble, or no longer. */
  | { readonly e: 'trouble'; readonly text: string }
  | { readonly e: 'works' }
  /** Another store of the same process took, delivered and ended a record. */
  | { readonly e: 'other' }
  /** Something that must not be, as the process itself noticed it. */
  | { readonly e: 'wrong'; readonly text: string };

export interface Totals {
  readonly put: number;
  readonly acknowledged: number;
  readonly died: number;
  readonly dropped: number;
  readonly there: number;
}

/** The ledger's pipe in a process under test. */
export const LEDGER_FD = 3;

/** Returns only when the line is in the pipe: what happens to this process afterwards cannot take it back. */
export function tell(event: LedgerEvent): void {
  tellLine(event);
}

/** The same for what is not a ledger: figures. */
export function tellLine(value: object): void {
  writeSync(LEDGER_FD, `${JSON.stringify(value)}\n`);
}

/** Cuts a stream into its lines' values. A last line without its end was not told. */
export function lineReader(onValue: (value: unknown) => void): (chunk: Buffer) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onValue(JSON.parse(line));
  };
}
