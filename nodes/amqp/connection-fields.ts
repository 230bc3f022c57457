import { bool, choice, duration, int, table, text } from '../../lib/spec';

/** A short string of the protocol holds at most 255 bytes. */
const NAME = { default: '', maxLength: 255 } as const;
const MORE = text({
  label: 'Arguments',
  help: 'Further arguments as a JSON object, such as {"x-expires": 60000}.',
  default: '',
  optional: true,
  maxLength: 4000,
});

const exchanges = table({
  label: 'Exchanges',
  help: 'Exchanges that must exist. Each is compared with what the broker has whenever the connection opens.',
  columns: {
    name: text({ label: 'Exchange', help: 'Name of the exchange.', ...NAME }),
    kind: choice({
      label: 'Kind',
      help: 'How the exchange routes. Plug-ins bring further kinds.',
      default: 'topic',
      options: {
        direct: 'Direct',
        topic: 'Topic',
        fanout: 'Fanout',
        headers: 'Headers',
        'x-delayed-message': 'Delayed (plug-in)',
        'x-consistent-hash': 'Consistent hash (plug-in)',
      },
    }),
    durable: bool({ label: 'Durable', help: 'Survives a restart of the broker.', default: true }),
    autoDelete: bool({
      label: 'Auto-delete',
      help: 'The broker removes it with its last binding.',
      default: false,
    }),
    internal: bool({
      label: 'Internal',
      help: 'Only other exchanges can publish to it.',
      default: false,
    }),
    more: MORE,
  },
  default: [],
  maxRows: 200,
  unique: ['name'],
});

const queues = table({
  label: 'Queues',
  help: 'Queues that must exist. Each is compared with what the broker has whenever the connection opens.',
  columns: {
    name: text({ label: 'Queue', help: 'Name of the queue.', ...NAME }),
    kind: choice({
      label: 'Kind',
      help: 'Quorum queues are replicated and count deliveries. A stream keeps what was read.',
      default: 'quorum',
      options: { default: "The broker's default", classic: 'Classic', quorum: 'Quorum', stream: 'Stream' },
    }),
    durable: bool({
      label: 'Durable',
      help: 'Survives a restart of the broker. Quorum queues and streams always do.',
      default: true,
    }),
    exclusive: bool({
      label: 'Exclusive',
      help: 'Only for this connection, and gone with it. Not for quorum queues and streams.',
      default: false,
    }),
    deadExchange: text({
      label: 'Dead-letter exchange',
      help: 'Gets what was rejected, expired or pushed out.',
      optional: true,
      ...NAME,
    }),
    deadKey: text({
      label: 'Dead-letter key',
      help: 'Routing key of dead letters. Empty keeps their own.',
      optional: true,
      ...NAME,
    }),
    ttl: duration({
      label: 'Message TTL',
      help: 'Messages that wait longer expire. Empty: never.',
      default: '',
      optional: true,
      min: '0ms',
      max: '365d',
    }),
    maxLength: int({
      label: 'Length limit',
      help: 'Messages that the queue holds at most. Empty: no limit.',
      default: undefined,
      optional: true,
      min: 1,
      max: 2_000_000_000,
    }),
    overflow: choice({
      label: 'When full',
      help: 'What happens to a message beyond the limit.',
      default: 'default',
      options: {
        default: "The broker's default",
        'drop-head': 'Drop the oldest',
        'reject-publish': 'Refuse the new one',
        'reject-publish-dlx': 'Dead-letter the new one',
      },
    }),
    deliveryLimit: int({
      label: 'Delivery limit',
      help: 'A message that came back so often is dead-lettered. Only quorum queues. Empty: as the broker decides.',
      default: undefined,
      optional: true,
      min: 0,
      max: 1_000_000,
    }),
    single: bool({
      label: 'Single active consumer',
      help: 'One consumer gets all messages, the next takes over when it is gone.',
      default: false,
    }),
    more: MORE,
  },
  default: [],
  maxRows: 200,
  unique: ['name'],
});

const bindings = table({
  label: 'Bindings',
  help: 'Ways from an exchange to a queue or to another exchange. Making one that exists changes nothing.',
  columns: {
    source: text({ label: 'Source exchange', help: 'Where messages come from.', ...NAME }),
    kind: choice({
      label: 'Destination kind',
      help: 'Whether the destination is a queue or an exchange.',
      default: 'queue',
      options: { queue: 'Queue', exchange: 'Exchange' },
    }),
    destination: text({ label: 'Destination', help: 'Where messages go to.', ...NAME }),
    key: text({
      label: 'Routing key',
      help: 'For topic exchanges a pattern: * is one word, # any number of words.',
      optional: true,
      ...NAME,
    }),
    more: MORE,
  },
  default: [],
  maxRows: 500,
});

export const fields = {
  host: text({
    label: 'Host',
    help: 'The name or address of the broker.',
    default: 'localhost',
    maxLength: 253,
  }),
  port: int({
    label: 'Port',
    help: 'Brokers listen on 5672, and on 5671 with TLS.',
    default: 5672,
    min: 1,
    max: 65_535,
  }),
  encrypt: bool({
    label: 'Encrypt the connection',
    help: 'Uses TLS and checks the certificate of the broker. Without it anyone on the network can read the password.',
    default: false,
  }),
  vhost: text({
    label: 'Virtual host',
    help: 'The part of the broker that holds the exchanges and queues.',
    default: '/',
    maxLength: 255,
  }),
  clientName: text({
    label: 'Connection name',
    help: 'Shown in the list of connections of the broker. Empty takes the name of this node.',
    default: '',
    optional: true,
    maxLength: 200,
  }),
  heartbeat: duration({
    label: 'Heartbeat',
    help: 'A broker that is silent for two of these is given up. The shorter wish of both sides counts. Zero takes off heartbeats.',
    default: '15s',
    min: '0s',
    max: '10m',
  }),
  frameMax: int({
    label: 'Largest frame',
    help: 'Larger messages are sent in several frames. A frame beyond this from the broker ends the connection.',
    default: 131_072,
    min: 8192,
    max: 1_048_576,
    unit: 'bytes',
  }),
  maxMessage: int({
    label: 'Largest message',
    help: 'Larger messages are not sent, and refused without requeueing when they arrive. The broker has a limit of its own.',
    default: 16_384,
    min: 1,
    max: 131_072,
    unit: 'KiB',
  }),
  declare: choice({
    label: 'Missing exchanges and queues',
    help: 'What exists in another form is never changed: the connection then fails and says what differs.',
    default: 'declare',
    options: { declare: 'Declare what is missing', check: 'Only check' },
  }),
  exchanges,
  queues,
  bindings,
} as const;
