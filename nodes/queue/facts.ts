/** What `msg.queue` says about a delivery, and reading it back. */
import { Failure } from '../../lib/core';
import type { Attempt, Leased } from '../../lib/queue';

/** Stands in `msg.queue` of a message that was taken; in a batch one for each message. */
export interface Delivery {
  readonly name: string;
  /** Missing when the message was acknowledged as it was sent. */
  readonly token?: string;
  /** 1 for the first. */
  readonly delivery: number;
  /** The idempotency key. */
  readonly id: string;
  readonly key: string;
  /** When the message was stored, ISO 8601 UTC. */
  readonly time: string;
  /** Failed deliveries, oldest first. */
  readonly history?: readonly (Omit<Attempt, 'at'> & { readonly at: string })[];
}

export function deliveryOf(name: string, leased: Leased, withToken: boolean): Delivery {
  const { entry, token, delivery, history } = leased;
  return {
    name,
    ...(withToken ? { token } : {}),
    delivery,
    id: entry.id,
    key: entry.key,
    time: isoTime(entry.time),
    ...(history.length > 0 ? { history: history.map((one) => ({ ...one, at: isoTime(one.at) })) } : {}),
  };
}

/** More than any batch of a take node holds. */
const MOST = 10_000;

/** The tokens that a value names: a token, what a take node set as `msg.queue`, or an array of these. */
export function tokensOf(value: unknown, queue: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0 || list.length > MOST) {
    throw badMessage(`The delivery is an array of ${list.length} entries; it must hold 1 to ${MOST}.`);
  }
  return list.map((one) => tokenOf(one, queue));
}

function tokenOf(value: unknown, queue: string): string {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value !== 'object' || value === null) {
    throw badMessage(
      'The message holds no delivery. It must carry msg.queue as the queue take node sets it; check that no node before this one removes it.',
    );
  }
  const { name, token } = value as { name?: unknown; token?: unknown };
  if (typeof name === 'string' && name !== queue) {
    throw badMessage(
      `The message was taken from the queue "${name.slice(0, 100)}", but this node's connection is the queue "${queue}".`,
    );
  }
  if (typeof token === 'string' && token !== '') return token;
  throw badMessage(
    'msg.queue holds no token. Messages that the queue take node acknowledges itself, and those that only left a queue put node, need no settling.',
  );
}

function badMessage(sentence: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', sentence, { reached: false });
}

/** Dates that no calendar has (a broker's message may bring any number) are shown as 1970. */
function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
