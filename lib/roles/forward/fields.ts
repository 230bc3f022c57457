/** What the Delivery tab offers on every adapter whose calls can change something. */
import { choice, duration, int, number, typed, type Fields, type ValuesOf } from '../../spec';

const storing = { undelivered: ['store'] } as const;
const side = { ...storing, keepOrder: ['key', 'none'] } as const;

export const forwardFields = {
  undelivered: choice({
    tab: 'delivery',
    label: 'If it cannot be delivered',
    help: 'What becomes of a message whose call changes something and fails for good. A second output reports what was stored, delivered later, or became a dead letter. Calls that only read always fail.',
    default: 'fail',
    options: { fail: 'Fail', store: 'Store and forward', deadLetter: 'Dead letter' },
  }),
  storeWhen: choice({
    tab: 'delivery',
    label: 'Store',
    help: 'Storing every message first survives also a crash in the middle of a call, and costs a write to the disk for each.',
    default: 'failing',
    options: { failing: 'What cannot be delivered at once', always: 'Every message before it is sent' },
    showWhen: storing,
  }),
  keepOrder: choice({
    tab: 'delivery',
    label: 'Keep order',
    help: 'While a message waits, the later ones of its line wait behind it. Those of other lines go on.',
    default: 'all',
    options: { all: 'Of all messages', key: 'Of messages with the same key', none: 'No' },
    showWhen: storing,
  }),
  orderKey: typed({
    tab: 'delivery',
    label: 'Order key',
    help: 'Messages with the same key form one line.',
    default: { type: 'msg', value: 'topic' },
    types: ['msg', 'str', 'jsonata'],
    showWhen: { ...storing, keepOrder: ['key'] },
  }),
  atOnce: int({
    tab: 'delivery',
    label: 'Stored messages sent at once',
    help: 'How many lines are sent from the store at the same time. The rate limit of the connection holds all the same.',
    default: 8,
    min: 1,
    max: 1000,
    showWhen: side,
  }),
  storeDeliveries: int({
    tab: 'delivery',
    label: 'Deliveries',
    help: 'A stored message that the peer itself turns down this often for a passing reason becomes a dead letter, so that it does not hold up the others. Zero means never. An outage does not count.',
    default: 25,
    min: 0,
    max: 1_000_000,
    showWhen: storing,
  }),
  storeRecords: int({
    tab: 'delivery',
    label: 'Messages stored',
    help: 'Most messages in the store of this node. Zero means no limit.',
    default: 1_000_000,
    min: 0,
    max: 1_000_000_000,
    showWhen: storing,
  }),
  storeBytes: number({
    tab: 'delivery',
    label: 'Space',
    help: 'Most space that the stored messages of this node take. Zero means no limit.',
    default: 1024,
    min: 0,
    max: 1_000_000,
    unit: 'MB',
    showWhen: storing,
  }),
  storeFull: choice({
    tab: 'delivery',
    label: 'When the store is full',
    help: 'What happens to messages above the limits. Every message that is dropped is counted and reported.',
    default: 'reject',
    options: { reject: 'New messages fail', dropOldest: 'Drop the oldest', dropNewest: 'Drop new ones' },
    showWhen: storing,
  }),
  storeAge: duration({
    tab: 'delivery',
    label: 'Longest time in the store',
    help: 'Counted only while the runtime runs, so that a wrong clock expires nothing. Zero means for ever.',
    default: '0s',
    min: '0s',
    max: '3650d',
    showWhen: storing,
  }),
  storeOld: choice({
    tab: 'delivery',
    label: 'What is too old',
    help: 'What happens to messages that waited longer than that.',
    default: 'deadLetter',
    options: { deadLetter: 'Becomes a dead letter', drop: 'Is dropped and counted' },
    showWhen: storing,
  }),
} satisfies Fields;

export type ForwardSettings = ValuesOf<typeof forwardFields>;
