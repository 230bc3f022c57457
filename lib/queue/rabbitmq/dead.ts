/** Dead letters as messages: the record's own, with headers that tell why. */
import type { Message } from 'amqplib';
import type { FailureKind } from '../../core';
import type { Attempt, DeadFilter, Source } from '../types';
import { decodeAttempts, encodeAttempts } from './attempts';
import { count, header, HEADERS, propertiesOf, readMessage } from './wire';
import type { Holding } from './held';
import type { Properties } from './publisher';

export interface Reason {
  readonly at: number;
  readonly kind: FailureKind;
  readonly code: string;
  readonly message: string;
  readonly source: Source | undefined;
}

/** What RabbitMQ itself names as the reason of a dead letter. */
const BROKER_REASONS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  delivery_limit: [
    'DELIVERIES_EXHAUSTED',
    'The message was delivered as often as its queue allows, without being acknowledged.',
  ],
  expired: ['EXPIRED', 'The message waited longer than its queue allows.'],
  maxlen: ['QUEUE_FULL', 'The queue was full and its oldest message had to make room.'],
};

/** Properties of the dead letter that a record becomes. */
export function deadProperties(
  holding: Holding,
  history: readonly Attempt[],
  attempt: Attempt,
  owner: Source,
): Properties {
  const properties = propertiesOf(holding.entry, [...history, attempt]);
  const reason = { ...attempt, source: attempt.source ?? owner };
  return {
    ...properties,
    headers: {
      ...properties.headers,
      [HEADERS.reason]: encodeAttempts([reason]),
      [HEADERS.deliveries]: holding.delivery,
    },
  };
}

/** Why and when it died; from our headers, else from the broker's. */
export function reasonOf(message: Message): Reason {
  const [own] = decodeAttempts(header(message, HEADERS.reason));
  if (own) return { ...own, source: own.source };
  const { reason, time } = firstDeath(header(message, 'x-death'));
  const [code, text] = (Object.hasOwn(BROKER_REASONS, reason) ? BROKER_REASONS[reason] : undefined) ?? [
    'PEER_REJECTED',
    'RabbitMQ made the message a dead letter.',
  ];
  return { at: time, kind: 'rejected', code, message: text, source: undefined };
}

function firstDeath(value: unknown): { reason: string; time: number } {
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  if (typeof first !== 'object' || first === null) return { reason: '', time: 0 };
  const { reason, time } = first as Record<string, unknown>;
  const seconds = typeof time === 'object' && time !== null ? (time as Record<string, unknown>)['value'] : 0;
  return { reason: typeof reason === 'string' ? reason : '', time: (count(seconds) ?? 0) * 1000 };
}

export function matches(message: Message, filter: DeadFilter): boolean {
  const { entry } = readMessage(message);
  const reason = reasonOf(message);
  return (
    same(filter.id, entry.id) &&
    same(filter.key, entry.key) &&
    same(filter.code, reason.code) &&
    same(filter.kind, reason.kind) &&
    same(filter.node, reason.source?.node) &&
    (filter.since === undefined || reason.at >= filter.since) &&
    (filter.before === undefined || reason.at < filter.before)
  );
}

const same = (wanted: string | undefined, is: string | undefined): boolean =>
  wanted === undefined || wanted === is;
