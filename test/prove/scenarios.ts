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
  { name: 'new file', before: [], work: { records: 16 } },
  // Begins by recovering what a killed process left, and is killed meanwhile.
  { name: 'recovery', before: [{ work: { records: 60 }, killAfter: 150 }], work: { first: 100, records: 8 } },
  // Empties what is there, so that space is given back.
  {
    name: 'drain',
    before: [{ work: { records: 40, lag: 1000, bytes: 600 }, killAfter: 80 }],
    work: { first: 100, records: 0, mixed: false },
  },
  // The log is full, and its pages go back to where they belong while records come and go.
  {
    name: 'checkpoint',
    before: [{ work: { records: 900, puts: 2, mixed: false }, killAfter: 1900 }],
    work: { first: 2000, records: 16, puts: 2 },
  },
  // Bodies over many pages.
  { name: 'large bodies', before: [], work: { records: 4, bytes: 50_000, puts: 2 } },
  // Callers without an answer ask again, with the same id.
  {
    name: 'asked again',
    before: [{ work: { records: 40, puts: 8, duplicateWindowMs: 3_600_000 }, killAfter: 90 }],
    work: { first: 100, records: 4, duplicateWindowMs: 3_600_000 },
  },
];
