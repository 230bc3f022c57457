/** Upper bounds in milliseconds, from a loopback call to a hung one; a last bucket takes the rest. */
export const LATENCY_BOUNDS_MS = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

const BOUNDS = Float64Array.from(LATENCY_BOUNDS_MS);

export interface HistogramSnapshot {
  /** Observations in each bucket, not cumulated; one more than there are bounds. */
  readonly buckets: readonly number[];
  readonly count: number;
  /** Milliseconds. */
  readonly sum: number;
}

/** Counts latencies in fixed buckets. `record` allocates nothing. */
export class Histogram {
  readonly #buckets = new Float64Array(BOUNDS.length + 1);
  #count = 0;
  #sum = 0;

  /** A negative or unusable duration counts as zero. */
  record(ms: number): void {
    const value = ms > 0 && ms < Infinity ? ms : 0;
    let i = 0;
    while (i < BOUNDS.length && value > (BOUNDS[i] as number)) i += 1;
    this.#buckets[i] = (this.#buckets[i] as number) + 1;
    this.#count += 1;
    this.#sum += value;
  }

  snapshot(): HistogramSnapshot {
    return { buckets: [...this.#buckets], count: this.#count, sum: this.#sum };
  }
}

/** The latency that the share `q` (0 to 1) of all observations did not exceed, interpolated; null without any. */
export function quantile(snapshot: HistogramSnapshot, q: number): number | null {
  if (snapshot.count === 0) return null;
  const wanted = q * snapshot.count;
  let seen = 0;
  for (const [i, inBucket] of snapshot.buckets.entries()) {
    if (inBucket > 0 && seen + inBucket >= wanted) {
      const low = i === 0 ? 0 : (BOUNDS[i - 1] ?? 0);
      const high = BOUNDS[i] ?? low;
      return low + (high - low) * Math.max(0, (wanted - seen) / inBucket);
    }
    seen += inBucket;
  }
  return BOUNDS.at(-1) ?? null;
}
