/** A record as an AMQP message. What comes from the broker may be written by anyone: everything is checked and bounded. */
import { createHash } from 'node:crypto';
import type { Message, Options } from 'amqplib';
import type { Attempt, Entry } from '../types';
import { decodeAttempts, encodeAttempts } from './attempts';

/** Longest AMQP short string. */
const SHORT_BYTES = 255;
const MOST_CHARS = 200;
const MOST_DELIVERIES = 1_000_000_000;

export const HEADERS = {
  /** Only where the id does not fit the message-id property. */
  id: 'holdfast-id',
  key: 'holdfast-key',
  time: 'holdfast-time',
  attempts: 'holdfast-attempts',
  reason: 'holdfast-reason',
  deliveries: 'holdfast-deliveries',
} as const;

type Properties = Options.Publish & { messageId: string; headers: Record<string, unknown> };

/** Properties of the record's message; persistent, with the id as message-id. */
export function propertiesOf(entry: Entry, history: readonly Attempt[]): Properties {
  const fits = Buffer.byteLength(entry.id) <= SHORT_BYTES;
  return {
    messageId: fits ? entry.id : digest(Buffer.from(entry.id)),
    persistent: true,
    mandatory: true,
    contentType: 'application/octet-stream',
    headers: {
      ...(!fits && { [HEADERS.id]: entry.id }),
      ...(entry.key !== '' && { [HEADERS.key]: entry.key }),
      [HEADERS.time]: numberOf(entry.time),
      ...(history.length > 0 && { [HEADERS.attempts]: encodeAttempts(history) }),
    },
  };
}

/** AMQP integers end at 64 bits, and the library guesses by size. */
const numberOf = (value: number): unknown => (Number.isSafeInteger(value) ? value : { '!': 'double', value });

export interface Received {
  readonly entry: Entry;
  readonly history: readonly Attempt[];
  /** 1 for the first. */
  readonly delivery: number;
}

/** A message that another program wrote gets an id from its content, so that every delivery has the same. */
export function readMessage(message: Message): Received {
  const { content, properties, fields } = message;
  const id = text(header(message, HEADERS.id)) ?? text(properties.messageId) ?? digest(content);
  const counted = count(header(message, 'x-delivery-count'));
  return {
    entry: {
      id,
      key: text(header(message, HEADERS.key)) ?? '',
      time: timeOf(message),
      body: content,
    },
    history: decodeAttempts(header(message, HEADERS.attempts)),
    delivery: 1 + (counted ?? (fields.redelivered ? 1 : 0)),
  };
}

/** Only what the message itself holds: never a prototype's. */
export function header(message: Message, name: string): unknown {
  const headers: unknown = message.properties.headers;
  if (typeof headers !== 'object' || headers === null || !Object.hasOwn(headers, name)) return undefined;
  return (headers as Record<string, unknown>)[name];
}

export function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MOST_DELIVERIES
    ? value
    : undefined;
}

function timeOf(message: Message): number {
  const time = header(message, HEADERS.time);
  if (typeof time === 'number' && Number.isFinite(time)) return time;
  const stamp: unknown = message.properties.timestamp;
  return typeof stamp === 'number' && Number.isSafeInteger(stamp * 1000) ? stamp * 1000 : 0;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= MOST_CHARS ? value : undefined;

const digest = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
