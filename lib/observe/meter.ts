import { FAILURE_KINDS, type Failure, type FailureKind } from '../core';
import { Histogram, type HistogramSnapshot } from './histogram';

export type BreakerState = 'closed' | 'open' | 'half-open';

export type CounterName =
  | 'in'
  | 'out'
  | 'failed'
  | 'cancelled'
  | 'dead'
  | 'droppedFull'
  | 'droppedOld'
  | 'droppedPurged'
  | 'attempts'
  | 'retries'
  | 'timeouts'
  | 'breakerOpened'
  | 'rateLimited'
  | 'bulkheadRejected'
  | 'pauses'
  | 'cacheHits'
  | 'cacheMisses';

export interface MeterSnapshot {
  /** Ever since the series began. Messages: in = out + failed + cancelled + dead + dropped + queued. */
  readonly counters: Readonly<Record<CounterName, number>>;
  /** Messages accepted and not finished: running, waiting or stored. */
  readonly queued: number;
  readonly breaker: BreakerState;
  /** Failed attempts by kind. */
  readonly failures: Readonly<Record<FailureKind, number>>;
  /** Successful attempts, in milliseconds. */
  readonly latency: HistogramSnapshot;
}

/**
 * The counters of one connection or node. It has the shape of a policy listener, so a pipeline can report to it
 * directly. Recording allocates nothing.
 */
export class Meter {
  #in = 0;
  #out = 0;
  #failed = 0;
  #cancelled = 0;
  #dead = 0;
  readonly #dropped = { full: 0, old: 0, purged: 0 };
  #queued = 0;
  #attempts = 0;
  #retries = 0;
  #timeouts = 0;
  #breakerOpened = 0;
  #rateLimited = 0;
  #bulkheadRejected = 0;
  #pauses = 0;
  #cacheHits = 0;
  #cacheMisses = 0;
  #breaker: BreakerState = 'closed';
  readonly #failures = new Map<FailureKind, number>();
  readonly #latency = new Histogram();

  /** Messages that arrived. */
  in(n = 1): void {
    this.#in += n;
  }
  /** Messages that were finished with success. */
  out(n = 1): void {
    this.#out += n;
  }
  /** Messages that ended with a failure. */
  failed(n = 1): void {
    this.#failed += n;
  }
  /** Messages that a close ended. */
  cancelled(n = 1): void {
    this.#cancelled += n;
  }
  /** Messages that became dead letters. */
  dead(n = 1): void {
    this.#dead += n;
  }
  /** Messages that a declared limit or a person removed. */
  dropped(reason: 'full' | 'old' | 'purged', n = 1): void {
    this.#dropped[reason] += n;
  }
  /** Messages that entered (positive) or left (negative) the set of unfinished ones. */
  queued(change: number): void {
    this.#queued += change;
  }

  attempt(_n: number): void {
    this.#attempts += 1;
  }
  success(ms: number): void {
    this.#latency.record(ms);
  }
  failure(failure: Failure, _willRetry: boolean): void {
    this.#failures.set(failure.kind, (this.#failures.get(failure.kind) ?? 0) + 1);
  }
  retry(_delayMs: number, _attempt: number): void {
    this.#retries += 1;
  }
  timeout(): void {
    this.#timeouts += 1;
  }
  breaker(state: BreakerState): void {
    if (state === 'open' && this.#breaker !== 'open') this.#breakerOpened += 1;
    this.#breaker = state;
  }
  rateLimited(_ms: number): void {
    this.#rateLimited += 1;
  }
  bulkheadFull(): void {
    this.#bulkheadRejected += 1;
  }
  paused(_ms: number): void {
    this.#pauses += 1;
  }
  cache(hit: boolean): void {
    if (hit) this.#cacheHits += 1;
    else this.#cacheMisses += 1;
  }

  snapshot(): MeterSnapshot {
    const byKind = FAILURE_KINDS.map((kind): [FailureKind, number] => [kind, this.#failures.get(kind) ?? 0]);
    return {
      counters: {
        in: this.#in,
        out: this.#out,
        failed: this.#failed,
        cancelled: this.#cancelled,
        dead: this.#dead,
        droppedFull: this.#dropped.full,
        droppedOld: this.#dropped.old,
        droppedPurged: this.#dropped.purged,
        attempts: this.#attempts,
        retries: this.#retries,
        timeouts: this.#timeouts,
        breakerOpened: this.#breakerOpened,
        rateLimited: this.#rateLimited,
        bulkheadRejected: this.#bulkheadRejected,
        pauses: this.#pauses,
        cacheHits: this.#cacheHits,
        cacheMisses: this.#cacheMisses,
      },
      queued: this.#queued,
      breaker: this.#breaker,
      failures: Object.fromEntries(byKind) as Record<FailureKind, number>,
      latency: this.#latency.snapshot(),
    };
  }
}
