/** What all parts of the crash proof share. */
import type { Options } from './options';
import type { Tally } from './tally';

export interface Bench extends Options {
  /** The process that is killed. */
  readonly program: string;
  readonly directory: string;
  readonly tally: Tally;
  /** Crash points reached, by what was interrupted. */
  readonly reached: Map<string, number>;
}

export function reach(bench: Bench, what: string): void {
  bench.tally.points += 1;
  bench.reached.set(what, (bench.reached.get(what) ?? 0) + 1);
}
