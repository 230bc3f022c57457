/** Settings of the dead letters node. */
import { bool, duration, int, list } from '../../lib/spec';

export const fields = {
  nodes: list({
    label: 'Nodes',
    help: 'Names or ids of the nodes whose dead letters are sent. Leave the list empty for all of them.',
    default: [],
    maxItems: 200,
    optional: true,
  }),
  queues: list({
    label: 'Queues',
    help: 'Names of the queues whose dead letters are sent. Leave the list empty for all of them.',
    default: [],
    maxItems: 200,
    optional: true,
  }),
  kinds: list({
    label: 'Kinds',
    help: 'Kinds of failure that are sent, such as "rejected", "transient" or "auth". Leave the list empty for all of them.',
    default: [],
    maxItems: 20,
    optional: true,
  }),
  codes: list({
    label: 'Codes',
    help: 'Codes of failure that are sent, such as "PEER_REJECTED" or "EXPIRED". Leave the list empty for all of them.',
    default: [],
    maxItems: 200,
    optional: true,
  }),
  perSecond: int({
    label: 'Rate limit',
    help: 'Most messages in a second. When a thousand records fail at once, the rest follows second by second.',
    default: 100,
    min: 1,
    max: 1000,
    unit: 'messages/s',
  }),
  bounded: bool({
    label: 'Bound the store',
    help: 'Sets how much the one store of dead letters of this runtime may hold. When it is full the oldest make room, and that is counted. Set this in one node only.',
    default: false,
  }),
  maxRecords: int({
    label: 'Records',
    help: 'Most dead letters in the store.',
    default: 50_000,
    min: 1,
    max: 1_000_000,
    unit: 'records',
    showWhen: { bounded: [true] },
  }),
  maxMegabytes: int({
    label: 'Size',
    help: 'Most room that their messages may take.',
    default: 256,
    min: 1,
    max: 10_000,
    unit: 'MB',
    showWhen: { bounded: [true] },
  }),
  maxAge: duration({
    label: 'Age',
    help: 'How long a dead letter is kept, counted in running time.',
    default: '90d',
    min: '1m',
    max: '3650d',
    showWhen: { bounded: [true] },
  }),
};
