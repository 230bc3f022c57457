import type { Failure } from '../core';
import type { BreakerState } from './breaker';

/**
 * What the policies tell. Called synchronously in the middle of a call, so every method must be cheap; one that
 * throws is ignored. Durations are milliseconds.
 */
export interface PolicyListener {
  /** An attempt starts; 1 is the first. */
  attempt?(n: number): void;
  /** The call succeeded; the duration is that of its last attempt, `now` the monotonic time of its end. */
  success?(ms: number, now: number): void;
  failure?(failure: Failure, willRetry: boolean): void;
  /** A retry waits; `attempt` is the number of the attempt that follows. */
  retry?(delayMs: number, attempt: number): void;
  timeout?(): void;
  breaker?(state: BreakerState): void;
  /** The rate limit is used up: the call waits this long, or is rejected. */
  rateLimited?(waitMs: number): void;
  bulkheadFull?(): void;
  /** The whole connection pauses because the peer asked for it. */
  paused?(ms: number): void;
  cache?(hit: boolean): void;
}

type Told = keyof PolicyListener;
type Facts<E extends Told> = Parameters<NonNullable<PolicyListener[E]>>;

/** Tells one event to listeners; a listener that throws disturbs neither the call nor the next listener. */
export function tell<E extends Told>(
  listeners: readonly (PolicyListener | undefined)[],
  event: E,
  ...facts: Facts<E>
): void {
  for (const listener of listeners) {
    try {
      (listener?.[event] as ((...facts: Facts<E>) => void) | undefined)?.apply(listener, facts);
    } catch {
      // Metrics only listen: their faults must not become the call's.
    }
  }
}

/** `tell` for the two events of the success path, without its allocations. */
export function tellAttempt(listener: PolicyListener | undefined, n: number): void {
  if (listener?.attempt === undefined) return;
  try {
    listener.attempt(n);
  } catch {
    // As in `tell`.
  }
}
export function tellSuccess(listener: PolicyListener | undefined, ms: number, now: number): void {
  if (listener?.success === undefined) return;
  try {
    listener.success(ms, now);
  } catch {
    // As in `tell`.
  }
}
