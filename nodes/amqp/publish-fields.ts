import { bool, choice, duration, int, text, typed } from '../../lib/spec';

const PUBLISH = { showWhen: { operation: ['publish'] } };
const SHORT = { default: '', optional: true, maxLength: 255, ...PUBLISH } as const;

export const fields = {
  operation: choice({
    label: 'Operation',
    help: 'Publish sends a message. The others settle a message of the trigger "amqp in" with manual acknowledgement.',
    default: 'publish',
    options: { publish: 'Publish', acknowledge: 'Acknowledge', reject: 'Reject' },
  }),
  exchange: text({
    label: 'Exchange',
    help: 'Where the message goes. Empty is the default exchange, which takes the routing key as the name of a queue.',
    override: 'exchange',
    ...SHORT,
  }),
  routingKey: text({
    label: 'Routing key',
    help: 'What the exchange routes by, such as plant.line1.temperature.',
    override: 'routingKey',
    ...SHORT,
  }),
  payload: typed({
    label: 'Payload',
    help: 'What is published.',
    default: { type: 'msg', value: 'payload' },
    types: ['msg', 'flow', 'global', 'str', 'json', 'jsonata', 'bin'],
    ...PUBLISH,
  }),
  format: choice({
    label: 'Format',
    help: 'Automatic sends a Buffer as it is, text as UTF-8 and everything else as JSON.',
    default: 'auto',
    options: { auto: 'Automatic', json: 'JSON', string: 'Text', buffer: 'Buffer' },
    ...PUBLISH,
  }),
  contentType: text({
    label: 'Content type',
    help: 'Empty names the type after the format.',
    placeholder: 'application/json',
    override: 'contentType',
    ...SHORT,
  }),
  headers: typed({
    label: 'Headers',
    help: 'An object. Text, numbers, truth values, dates, Buffers, lists and objects keep their type.',
    default: { type: 'json', value: '{}' },
    types: ['json', 'msg', 'flow', 'global', 'jsonata'],
    ...PUBLISH,
  }),
  persistent: bool({
    label: 'Persistent',
    help: 'The broker writes the message to disk before it confirms it, where the queue is durable.',
    default: true,
    ...PUBLISH,
  }),
  mandatory: bool({
    label: 'Mandatory',
    help: 'A message that no queue takes fails as UNROUTABLE. Otherwise the broker drops it and confirms it.',
    default: true,
    ...PUBLISH,
  }),
  repeat: choice({
    label: 'Unconfirmed messages',
    help: 'Whether a message may be sent again when its confirmation was lost. Each repeat carries the same message id.',
    default: 'idempotent',
    options: { idempotent: 'Send again', once: 'Never send twice' },
    ...PUBLISH,
  }),
  priority: int({
    label: 'Priority',
    help: 'For queues with priorities. Empty sends none.',
    default: undefined,
    optional: true,
    min: 0,
    max: 255,
    ...PUBLISH,
  }),
  expiration: duration({
    label: 'Expiration',
    help: 'A message that waits in a queue for longer expires. Empty: never.',
    default: '',
    optional: true,
    min: '0ms',
    max: '40d',
    ...PUBLISH,
  }),
  messageType: text({
    label: 'Message type',
    help: 'A name for the kind of message, for those who read it.',
    ...SHORT,
  }),
  messageId: text({
    label: 'Message id',
    help: 'Empty takes the idempotency key of the message, which is the same for every attempt.',
    override: 'messageId',
    ...SHORT,
  }),
  correlationId: text({
    label: 'Correlation id',
    help: 'Joins a reply to its request.',
    override: 'correlationId',
    ...SHORT,
  }),
  replyTo: text({
    label: 'Reply queue',
    help: 'The queue that replies are expected in.',
    override: 'replyTo',
    ...SHORT,
  }),
  token: typed({
    label: 'Delivery',
    help: 'The token of the delivery to settle, as the trigger sent it.',
    default: { type: 'msg', value: 'amqp.token' },
    types: ['msg', 'flow', 'global', 'jsonata'],
    showWhen: { operation: ['acknowledge', 'reject'] },
  }),
  requeue: bool({
    label: 'Requeue',
    help: 'The message goes back into its queue. Otherwise it becomes a dead letter, or is dropped where the queue has no dead-letter exchange.',
    default: false,
    showWhen: { operation: ['reject'] },
  }),
} as const;
