import { Failure, isFailure } from '../core';

/**
 * What a call ends with that was running and must not be repeated: after a stop in the middle of it nobody knows
 * whether it was carried out. Other errors stay as they are.
 */
export function interrupted(name: string, error: unknown): unknown {
  if (!isFailure(error) || error.kind !== 'cancelled') return error;
  const sentence =
    `The node was stopped while "${name}" may have been carrying out the call, so it is not repeated; ` +
    'check the device before sending it again.';
  return new Failure('transient', 'OUTCOME_UNKNOWN', sentence);
}
