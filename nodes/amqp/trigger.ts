import { defineTrigger } from '../../lib/roles';
import { bool, choice, int, text } from '../../lib/spec';
import { connector } from './connector';

const fields = {
  queue: text({
    label: 'Queue',
    help: 'The queue that messages are taken from.',
    default: '',
    maxLength: 255,
  }),
  acknowledge: choice({
    label: 'Acknowledgement',
    help: 'Automatic removes a message from its queue as soon as the flow has it. Manual keeps it there until the node "amqp" acknowledges or rejects it.',
    default: 'manual',
    options: { manual: 'Manual', auto: 'Automatic' },
  }),
  prefetch: int({
    label: 'Prefetch',
    help: 'At most this many messages are in the flow without being settled. The broker keeps the others.',
    default: 20,
    min: 1,
    max: 65_535,
    unit: 'messages',
  }),
  format: choice({
    label: 'Payload',
    help: 'Automatic follows the content type: JSON becomes a value, text a string, everything else a Buffer.',
    default: 'auto',
    options: { auto: 'Automatic', json: 'JSON', string: 'Text', buffer: 'Buffer' },
  }),
  exclusive: bool({
    label: 'Exclusive',
    help: 'No other consumer may take messages from the queue.',
    default: false,
  }),
  priority: int({
    label: 'Consumer priority',
    help: 'Consumers with a higher priority get messages first. Empty is 0.',
    default: undefined,
    optional: true,
    min: -1000,
    max: 1000,
  }),
  consumerTag: text({
    label: 'Consumer tag',
    help: 'Shown in the list of consumers of the broker. Empty lets the broker choose.',
    default: '',
    optional: true,
    maxLength: 200,
  }),
  offset: choice({
    label: 'Stream offset',
    help: 'Where reading begins in a stream. Other queues ignore it.',
    default: 'none',
    options: {
      none: 'As the broker decides',
      first: 'First message',
      last: 'Last chunk',
      next: 'Only new messages',
    },
  }),
} as const;

export const trigger = defineTrigger({
  type: 'holdfast-amqp-trigger',
  version: 1,
  label: 'amqp in',
  summary: 'Takes messages from a queue of a RabbitMQ broker.',
  details: `
\`msg.payload\` holds the body, \`msg.topic\` the routing key. \`msg.amqp\` holds \`token\`, \`queue\`, \`exchange\`,
\`routingKey\`, \`redelivered\`, \`deliveryCount\` (of quorum queues), \`properties\` and \`headers\`.

With manual acknowledgement the flow settles each message with the node **amqp**, operation *Acknowledge* or *Reject*,
which takes the delivery from \`msg.amqp.token\`. What is not settled when the flow stops or the connection ends, the
broker delivers again.

A body larger than **Largest message** of the connection is rejected without being requeued. Give the queue a
dead-letter exchange, so that it is kept there.
`,
  connector,
  fields,
  async start(ctx) {
    const { listen } = require('./listen') as typeof import('./listen');
    return listen(ctx);
  },
});
