/**
 * Measuring on a shared machine: cases run interleaved, round after round, so that a slow moment hits all of them,
 * and the median forgets it.
 */

/** Runs one round of a case and returns its figure (any unit), or nothing: then its duration in ms counts. */
export type Case = () => Promise<number | void> | number | void;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Every case once a round, in changing order; the first round only warms up. Returns the median of each case. */
export async function interleave<K extends string>(
  cases: Readonly<Record<K, Case>>,
  rounds: number,
): Promise<Record<K, number>> {
  const names = Object.keys(cases) as K[];
  const samples = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const shift = round % names.length;
    for (const name of [...names.slice(shift), ...names.slice(0, shift)]) {
      const value = await timed(cases[name]);
      if (round > 0) samples.get(name)?.push(value);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(samples.get(name) ?? [])])) as Record<
    K,
    number
  >;
}

async function timed(run: Case): Promise<number> {
  const start = performance.now();
  const own = await run();
  return own ?? performance.now() - start;
}
