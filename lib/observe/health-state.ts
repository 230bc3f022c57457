import type { Failure } from '../core';
import type { BreakerState } from './meter';
import type { HealthState } from './types';

/** Transient failures in a row from which on a peer counts as down. */
const ROW = 5;
/** Share of faulty calls in the last minute from which on a peer counts as degraded. */
const FAULT_RATE = 0.2;
/** Below this many calls a share says nothing. */
const FEWEST_CALLS = 10;

export interface Verdict {
  readonly state: HealthState;
  readonly reason: string;
}
/** Everything the verdict depends on. */
export interface HealthFacts {
  /** What the last event or the life cycle said. */
  readonly base: Verdict;
  readonly breaker: BreakerState;
  readonly failuresInRow: number;
  readonly lastFailure: Failure | undefined;
  readonly calls: number;
  readonly faults: number;
  /** A standing warning, such as a certificate check that is switched off. */
  readonly warning: string | undefined;
}

export const UNKNOWN: Verdict = { state: 'unknown', reason: 'Nothing is known yet: no call was made.' };
export const HEALTHY: Verdict = { state: 'healthy', reason: 'The last call succeeded.' };

/** Our own policies held the call back: that says nothing new about the peer, and its true failure must stay. */
const HELD_BACK = new Set(['CIRCUIT_OPEN', 'RATE_LIMITED', 'BULKHEAD_FULL', 'NOT_CONNECTED']);

/** Whether the call never left Holdfast. Without a session before, that there is none is still news. */
export function isHeldBack(failure: Failure, base: Verdict): boolean {
  if (failure.code === 'NOT_CONNECTED' && base.state !== 'unhealthy') return false;
  return HELD_BACK.has(failure.code);
}

/** What a failed call says about the peer; undefined when it says nothing. */
export function verdictOf(failure: Failure): Verdict | undefined {
  switch (failure.kind) {
    case 'disconnected':
    case 'auth':
    case 'config':
      return { state: 'unhealthy', reason: failure.message };
    case 'transient':
    case 'throttled':
    case 'unclassified':
      return { state: 'degraded', reason: failure.message };
    case 'rejected':
    case 'cancelled':
      return undefined;
  }
}

export function judge(facts: HealthFacts): Verdict {
  const { base, breaker } = facts;
  if (base.state === 'unhealthy') return base;
  const last = facts.lastFailure?.message;
  if (breaker === 'open') {
    return {
      state: 'unhealthy',
      reason: `The circuit breaker is open.${last ? ` Last failure: ${last}` : ''}`,
    };
  }
  if (facts.failuresInRow >= ROW) return { state: 'unhealthy', reason: last ?? base.reason };
  if (base.state !== 'healthy') return base;
  if (breaker === 'half-open') {
    return { state: 'degraded', reason: 'The circuit breaker is half-open: single calls test the peer.' };
  }
  if (facts.calls >= FEWEST_CALLS && facts.faults / facts.calls >= FAULT_RATE) {
    return { state: 'degraded', reason: 'Many calls of the last minute failed.' };
  }
  return facts.warning === undefined ? base : { state: 'degraded', reason: facts.warning };
}
