/** The acknowledge node: tells a queue that a message is done, or that it takes longer. */
import { Failure } from '../../lib/core';
import { defineAdapter } from '../../lib/roles';
import { choice, duration } from '../../lib/spec';
import { connector, settledResult, settlingFields, tokensOf } from '../queue/connector';

export const adapter = defineAdapter({
  type: 'holdfast-acknowledge',
  version: 1,
  label: 'acknowledge',
  summary: 'Tells a queue that a message is done, so that it is not delivered again.',
  details: `Put it where the work with a message has succeeded. The message goes on once the queue has written it down. A delivery
that has ended before, because its visibility timeout ran out, fails with LEASE_LOST.`,
  connector,
  forward: false,
  fields: {
    operation: choice({
      label: 'Operation',
      help: 'Acknowledging ends the message. Prolonging gives a slow flow more time.',
      default: 'acknowledge',
      options: { acknowledge: 'Acknowledge', extend: 'Prolong the visibility timeout' },
    }),
    visibility: duration({
      label: 'Visibility timeout',
      help: 'How long from now the flow may take until the message is delivered again.',
      default: '1m',
      min: '100ms',
      max: '1d',
      showWhen: { operation: ['extend'] },
    }),
    ...settlingFields,
  },
  effect: () => 'idempotent',
  operation: ({ operation }) => operation,

  async call({ values: { operation, visibility, delivery, whenLost }, session, call }) {
    if (operation === 'extend' && !session.capabilities.extend) throw cannotExtend();
    const tokens = tokensOf(delivery, session.queue.name);
    const settle = (token: string): Promise<boolean> =>
      operation === 'extend' ? session.extend(token, visibility) : session.acknowledge(token, call);
    return settledResult(await Promise.all(tokens.map(settle)), whenLost);
  },
});

function cannotExtend(): Failure {
  return new Failure(
    'rejected',
    'BAD_MESSAGE',
    'The store of this queue cannot prolong a delivery. Set a longer visibility timeout in the queue take node.',
    { reached: false },
  );
}
