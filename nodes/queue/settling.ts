/** What the acknowledge and the reject node have in common. */
import { Failure } from '../../lib/core';
import type { Result } from '../../lib/roles';
import { choice, typed } from '../../lib/spec';

export const settlingFields = {
  delivery: typed({
    label: 'Delivery',
    help: 'What the queue take node set as msg.queue: that of one message, or the array of a batch.',
    default: { type: 'msg', value: 'queue' },
    types: ['msg', 'jsonata'],
  }),
  whenLost: choice({
    label: 'When it comes too late',
    help: 'What becomes of a message whose delivery has ended already, so that it may have been delivered again.',
    default: 'fail',
    options: { fail: 'Fail', pass: 'Pass it on with the number in msg.leaseLost' },
  }),
} as const;

/** `ended` tells of each delivery whether it was still valid. */
export function settledResult(ended: readonly boolean[], whenLost: 'fail' | 'pass'): Result {
  const lost = ended.filter((one) => !one).length;
  if (lost === 0) return undefined;
  if (whenLost === 'pass') return { leaseLost: lost };
  const which = ended.length === 1 ? 'The delivery' : `${lost} of ${ended.length} deliveries`;
  throw new Failure(
    'rejected',
    'LEASE_LOST',
    `${which} had ended already: the visibility timeout ran out, another node settled it, or the connection was reopened. The message may be delivered again; check the visibility timeout of the queue take node.`,
    { reached: false, details: { lost, of: ended.length } },
  );
}
