import { isRetryableKind, type Effect, type Failure, type Random } from '../core';

export const RETRY_STRATEGIES = ['none', 'fixed', 'linear', 'exponential'] as const;
export type RetryStrategy = (typeof RETRY_STRATEGIES)[number];

export interface RetryOptions {
  readonly strategy: RetryStrategy;
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  /** The wait after the first failed attempt, in milliseconds (its upper bound with `exponential`). */
  readonly baseMs: number;
  /** No wait is longer than this, in milliseconds. */
  readonly maxMs: number;
}

export const noRetry: RetryOptions = { strategy: 'none', attempts: 1, baseMs: 0, maxMs: 0 };

/** The longest wait after failed attempt number `attempt`, in milliseconds. */
export function backoff(attempt: number, options: RetryOptions): number {
  const { strategy, baseMs, maxMs } = options;
  if (strategy === 'none') return 0;
  // 2^40 times any wait is beyond every maxMs; the bound keeps 0 * Infinity out.
  const factor = strategy === 'fixed' ? 1 : strategy === 'linear' ? attempt : 2 ** Math.min(attempt - 1, 40);
  return Math.min(maxMs, baseMs * factor);
}

/**
 * The wait after failed attempt number `attempt`, in milliseconds. `exponential` uses full jitter (uniform between 0
 * and the bound), so that clients that failed together do not come back together.
 */
export function delay(attempt: number, options: RetryOptions, random: Random): number {
  const longest = backoff(attempt, options);
  return options.strategy === 'exponential' ? random() * longest : longest;
}

/**
 * Whether a repeat is allowed: only failures that may pass, and only when repeating cannot act twice. A peer that
 * throttles has said that it did not act.
 */
export function mayRetry(failure: Failure, effect: Effect): boolean {
  if (!isRetryableKind(failure.kind) || !failure.retryable) return false;
  return effect !== 'once' || !failure.reached || failure.kind === 'throttled';
}
