/** What the process under test does while it is killed: each scenario reaches other parts of the store. */
import type { Work } from './victim';

export interface Scenario {
  readonly name: string;
  /** Runs that prepare the folder once, before it is copied for each kill; `killAfter` events end one early. */
  readonly before: readonly { readonly work: Partial<Work>; readonly killAfter?: number }[];
  /** The run that is killed. */
  readonly work: Partial<Work>;
}

export const WINDOW = 4;

export function workOf(part: Partial<Work>, folder: string, seed: number): Work {
  return {
    ...{ folder, seed, records: 24, first: 1, keys: 3, bytes: 40, puts: 4, lag: 0 },
    ...{ window: WINDOW, perKey: 2, mixed: true, drain: false },
    ...part,
  };
}

/** A run that takes what is there to its end. */
export const DRAIN: Partial<Work> = { records: 0, drain: true, mixed: false };

export const SCENARIOS: readonly Scenario[] = [
  // From the making of the file to its orderly end.
  { name: 'new file', before: [], work: {} },
  // Begins by recovering what a killed process left, and is killed meanwhile.
  {
    name: 'recovery',
    before: [{ work: { records: 60 }, killAfter: 150 }],
    work: { first: 100, records: 16 },
  },
  // Empties what is there, so that space is given back.
  {
    name: 'drain',
    before: [{ work: { records: 150, lag: 1000, bytes: 600 }, killAfter: 320 }],
    work: { first: 200, records: 0, mixed: false, window: WINDOW },
  },
  // Bodies over many pages: the log grows, is copied back and cut.
  { name: 'large bodies', before: [], work: { records: 16, bytes: 90_000, puts: 2 } },
  // Callers without an answer ask again, with the same id.
  {
    name: 'asked again',
    before: [{ work: { records: 40, puts: 8, duplicateWindowMs: 3_600_000 }, killAfter: 90 }],
    work: { first: 100, records: 12, duplicateWindowMs: 3_600_000 },
  },
];
