import { Failure, type Effect } from '../core';

/** The failures that the pipeline itself states. `name` is the connection's, for the engineer. */

export function timedOut(name: string, ms: number, effect: Effect, reached: boolean): Failure {
  if (effect === 'once' && reached) {
    const text =
      `${name} did not answer within ${ms} ms. The call may have taken effect, so it is not repeated; ` +
      'check the device before sending it again.';
    return new Failure('transient', 'OUTCOME_UNKNOWN', text, { details: { timeoutMs: ms } });
  }
  const text = `${name} did not answer within ${ms} ms. Check that it is reachable, or raise the timeout.`;
  return new Failure('transient', 'CALL_TIMEOUT', text, { details: { timeoutMs: ms }, reached });
}

/**
 * What an attempt's failure means for the call: one that ended without an answer, may have reached the peer and must
 * not be repeated has an unknown outcome. PEER_ERROR is an answer.
 */
export function outcome(name: string, failure: Failure, effect: Effect): Failure {
  const silent = failure.kind === 'disconnected' || failure.kind === 'transient';
  if (effect !== 'once' || !failure.reached || !silent) return failure;
  if (failure.code === 'PEER_ERROR' || failure.code === 'OUTCOME_UNKNOWN') return failure;
  const text =
    `It is unknown whether ${name} carried out the call, so it is not repeated; check the device before sending it ` +
    `again. ${failure.message}`;
  const details = { ...failure.details, code: failure.code };
  return new Failure('transient', 'OUTCOME_UNKNOWN', text, {
    details,
    cause: failure,
    partial: failure.partial,
  });
}

export function circuitOpen(name: string, remainingMs: number): Failure {
  const when =
    remainingMs > 0 ? `the next trial is in ${Math.ceil(remainingMs / 1000)} s` : 'a trial is running';
  const text = `${name} failed repeatedly, so the circuit breaker holds calls back; ${when}. Check the device.`;
  return new Failure('transient', 'CIRCUIT_OPEN', text, { reached: false });
}

export function rateLimited(name: string, waitMs: number): Failure {
  const text =
    `The rate limit of ${name} is used up; the next call could go in ${Math.ceil(waitMs)} ms. ` +
    'Send fewer messages or raise the limit.';
  return new Failure('transient', 'RATE_LIMITED', text, {
    reached: false,
    details: { waitMs: Math.ceil(waitMs) },
  });
}

export function bulkheadFull(name: string, running: number, waiting: number): Failure {
  const text =
    `${name} has ${running} calls running and ${waiting} waiting, which is the limit. ` +
    'Send fewer messages at once or raise the limits of the connection.';
  return new Failure('transient', 'BULKHEAD_FULL', text, { reached: false, details: { running, waiting } });
}
