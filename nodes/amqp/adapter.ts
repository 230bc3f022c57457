import { Failure, type Scope } from '../../lib/core';
import { defineAdapter } from '../../lib/roles';
import { connector } from './connector';
import { outgoing } from './message';
import { fields } from './publish-fields';
import type { Session } from './session';

export const adapter = defineAdapter({
  type: 'holdfast-amqp',
  version: 1,
  label: 'amqp',
  summary:
    'Publishes messages to a RabbitMQ broker with confirmation, and settles those that "amqp in" received.',
  details: `
A message is done when the broker has confirmed it: for a durable queue and a persistent message that means that it is
on disk. One that no queue takes fails as \`UNROUTABLE\` while **Mandatory** is on.

A confirmation can get lost with the connection. The message is then sent again with the same \`messageId\`, so that
consumers can tell the repeat; choose *Never send twice* where they cannot, and it ends as *outcome unknown*.

**Acknowledge** and **Reject** take the delivery from \`msg.amqp.token\`. When its connection has been closed since, the
broker delivers the message again, and settling the old delivery fails as \`LEASE_LOST\`.

A message can replace the settings: \`msg.exchange\`, \`msg.routingKey\`, \`msg.contentType\`, \`msg.messageId\`,
\`msg.correlationId\` and \`msg.replyTo\`.
`,
  connector,
  fields,
  effect: ({ operation, repeat }) => (operation === 'publish' ? repeat : 'idempotent'),
  operation: ({ operation, exchange }) =>
    operation === 'publish' ? `publish to ${exchange === '' ? 'the default exchange' : exchange}` : operation,

  async call({ values, session, call, clock, note }) {
    const { operation, token, requeue } = values;
    if (operation === 'publish') {
      const { blocked } = session;
      note(
        blocked === undefined ? '' : 'the broker takes no messages',
        blocked === undefined ? 'good' : 'warn',
      );
      await session.publish(outgoing(values, call.key, clock.now()), call.scope);
      return;
    }
    const how = operation === 'acknowledge' ? operation : requeue ? 'requeue' : 'reject';
    await settle(session, token, how, call.scope);
  },
});

async function settle(
  session: Session,
  token: unknown,
  how: 'acknowledge' | 'reject' | 'requeue',
  scope: Scope,
): Promise<void> {
  if (typeof token !== 'string' || token === '') {
    const text =
      'The message holds no delivery in msg.amqp.token. It must come from "amqp in" with manual acknowledgement.';
    throw new Failure('rejected', 'BAD_MESSAGE', text, { reached: false });
  }
  await session.settle(token, how, scope);
}
