/** The queue put node: stores messages. */
import { Failure, type Message } from '../../lib/core';
import type { PutResult } from '../../lib/queue';
import { defineAdapter } from '../../lib/roles';
import { choice, typed } from '../../lib/spec';
import { connector } from './connector';

const LONGEST_KEY = 200;
const NO_KEYS =
  'The broker of this queue keeps no order by key. Leave "Order key" empty, use one queue for each key, or keep the queue in the local file.';

export const adapter = defineAdapter({
  type: 'holdfast-queue',
  version: 1,
  label: 'queue put',
  summary: 'Stores messages in a queue; goes on when they are where a crash cannot take them.',
  details: `The message leaves once it is stored, with \`msg.queue\`: \`name\`, \`id\` (its idempotency key, \`msg.idempotencyKey\` when it
has one) and \`result\`: \`stored\`, \`duplicate\` or \`dropped\` (the queue was full and is set to drop).

A message that cannot be stored and brought back exactly (with \`req\`, \`res\`, functions, sockets) fails with the path of what
stands in the way. Dates, Buffers, BigInt, undefined and circular references come back as they were.`,
  connector,
  fields: {
    store: choice({
      label: 'Store',
      help: 'The whole message keeps all its properties but msg.queue. The payload alone is smaller and never meets what cannot be stored.',
      default: 'message',
      options: { message: 'The whole message', payload: 'Only the payload' },
    }),
    key: typed({
      label: 'Order key',
      help: 'Messages of the same key are delivered one after the other while others go on, for example one key a machine. Empty for none.',
      default: { type: 'str', value: '' },
      types: ['str', 'msg', 'jsonata', 'env'],
    }),
  },
  // Every attempt stores the same id, so that whoever takes the message twice can know it.
  effect: () => 'idempotent',
  operation: () => 'put',

  /** Not with every message: looking a module up costs as much as storing one. */
  prepare: () => (require('../../lib/queue/codec') as typeof import('../../lib/queue/codec')).encodeMessage,

  async call({ values, msg, session, prepared: encode, call, clock, note }) {
    const body = encode(values.store === 'payload' ? { payload: msg.payload } : without(msg));
    const key = keyOf(values.key);
    if (key !== '' && !session.capabilities.keys) throw badKey(NO_KEYS);
    const entry = { id: call.key, key, time: clock.now(), body };
    const result: PutResult = await session.put(entry);
    if (result === 'dropped') note('full: new messages are dropped', 'warn');
    else note('');
    return { queue: { name: session.queue.name, id: call.key, result } };
  },
});

/** `msg.queue` belongs to an earlier delivery, not to the message. */
function without(msg: Message): Message {
  if (!Object.hasOwn(msg, 'queue')) return msg;
  const { queue: _, ...rest } = msg;
  return rest;
}

function keyOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  const key = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof key === 'string' && key.length <= LONGEST_KEY) return key;
  const what =
    typeof key === 'string'
      ? `has ${key.length} characters`
      : `is ${Array.isArray(key) ? 'an array' : 'an object'}`;
  throw badKey(`The order key ${what}; it must be a text of at most ${LONGEST_KEY} characters or a number.`);
}

function badKey(sentence: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', sentence, { reached: false });
}
