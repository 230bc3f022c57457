/** Settings of a queue. */
import { bool, choice, duration, int, list, text, type Condition } from '../../lib/spec';

export const brokers: Condition = { store: ['nats', 'rabbitmq'] };
const nats: Condition = { store: ['nats'] };
const rabbit: Condition = { store: ['rabbitmq'] };

export const fields = {
  store: choice({
    label: 'Store',
    help: 'Where the messages are. The local file needs no server and survives a power cut. A broker shares the queue among gateways. Memory is empty after a restart.',
    default: 'file',
    options: {
      file: 'Local file',
      nats: 'NATS JetStream',
      rabbitmq: 'RabbitMQ',
      memory: 'Memory',
    },
  }),
  queue: text({
    label: 'Queue',
    help: 'Names the queue within its store: letters, digits and . _ - / only. Connections of the same name and store mean the same messages.',
    default: '',
    maxLength: 100,
    pattern: {
      source: '[A-Za-z0-9._\\/\\-]{1,100}',
      what: 'letters, digits, dot, underscore, hyphen and slash',
    },
    placeholder: 'press/readings',
  }),
  servers: list({
    label: 'Servers',
    help: 'Host and port of each NATS server of one cluster. The next one is used when one is away.',
    default: ['127.0.0.1:4222'],
    maxItems: 20,
    showWhen: nats,
  }),
  replicas: int({
    label: 'Replicas',
    help: 'On how many servers of the cluster each message is kept before it counts as stored.',
    default: 1,
    min: 1,
    max: 5,
    showWhen: nats,
  }),
  host: text({
    label: 'Host',
    help: 'The name or address of the RabbitMQ server.',
    default: '127.0.0.1',
    maxLength: 255,
    showWhen: rabbit,
  }),
  port: int({
    label: 'Port',
    help: 'Empty means the usual one: 5671 with encryption, 5672 without.',
    default: undefined,
    optional: true,
    min: 1,
    max: 65_535,
    showWhen: rabbit,
  }),
  virtualHost: text({
    label: 'Virtual host',
    help: 'The part of the RabbitMQ server that holds the queue.',
    default: '/',
    maxLength: 255,
    showWhen: rabbit,
  }),
  heartbeat: duration({
    label: 'Heartbeat',
    help: 'A connection that is silent for longer counts as dead. Zero leaves it to the network.',
    default: '10s',
    min: '0s',
    max: '10m',
    showWhen: rabbit,
  }),
  encrypt: bool({
    label: 'Encrypt the connection',
    help: 'Uses TLS and checks the certificate of the server. Switch it off only on a network that you trust.',
    default: true,
    showWhen: brokers,
  }),
  ordered: bool({
    label: 'Strictly one after the other',
    help: 'A message without an order key waits until the one before it is acknowledged. Messages with an order key always wait for their own key only.',
    default: false,
  }),
  maxRecords: int({
    label: 'Most messages',
    help: 'How many the queue holds, waiting and in flight. Zero means no limit.',
    default: 1_000_000,
    min: 0,
    max: 1_000_000_000,
    unit: 'messages',
  }),
  maxMegabytes: int({
    label: 'Largest size',
    help: 'What their contents may take together. Zero means no limit.',
    default: 256,
    min: 0,
    max: 1_000_000,
    unit: 'MiB',
  }),
  whenFull: choice({
    label: 'When full',
    help: 'What becomes of messages beyond the limits. Every one that is dropped is counted and shown.',
    default: 'reject',
    options: {
      reject: 'Refuse the new message',
      dropOldest: 'Drop the oldest',
      dropNewest: 'Drop the new message',
    },
  }),
  maxAge: duration({
    label: 'Longest wait',
    help: 'A message that waited longer is old. Only time during which Node-RED or the broker ran counts. Zero means never.',
    default: '0s',
    min: '0s',
    max: '3650d',
  }),
  whenOld: choice({
    label: 'When old',
    help: 'What becomes of a message that waited too long.',
    default: 'deadLetter',
    options: { deadLetter: 'Keep it as a dead letter', drop: 'Drop it' },
  }),
  maxDeliveries: int({
    label: 'Most deliveries',
    help: 'A message that was delivered this often without being acknowledged becomes a dead letter. Zero means no limit.',
    default: 10,
    min: 0,
    max: 100_000,
  }),
  duplicateWindow: duration({
    label: 'Duplicate window',
    help: 'A second message with the same idempotency key within this time is not stored again. Zero switches it off.',
    default: '0s',
    min: '0s',
    max: '365d',
    showWhen: { store: ['file', 'nats', 'memory'] },
  }),
} as const;
