import type { Failure } from '../../core';
import type { Attempt, Source } from '../../queue/types';

/**
 * What a failure means for a message that must not be lost. `wait`: the link or the peer as a whole cannot take it, so
 * nothing else can go either. `later`: this message alone failed for a passing reason. `dead`: repeating does not help
 * or is not allowed. `stopped`: the node is closing.
 */
export type Fate = 'wait' | 'later' | 'dead' | 'stopped';

/** Decisions of our own policies: they concern every message. */
const WHOLE: ReadonlySet<string> = new Set([
  'CIRCUIT_OPEN',
  'RATE_LIMITED',
  'BULKHEAD_FULL',
  'NOT_CONNECTED',
]);

export function fateOf({ kind, code, partial }: Failure): Fate {
  if (code === 'OUTCOME_UNKNOWN') return 'dead';
  switch (kind) {
    case 'cancelled':
      return 'stopped';
    case 'rejected':
    case 'unclassified':
      return 'dead';
    case 'transient':
      return WHOLE.has(code) && !partial ? 'wait' : 'later';
    case 'disconnected':
      return partial ? 'later' : 'wait';
    case 'throttled':
    case 'auth':
    case 'config':
      return 'wait';
  }
}

export function attemptOf(failure: Failure, at: number, source: Source): Attempt {
  const { kind, code, message } = failure;
  return { at, kind, code, message, source };
}
