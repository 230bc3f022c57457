/** A call's settings as one message for the broker. */
import type { Options } from 'amqplib';
import { Failure } from '../../lib/core';
import { encodeTable } from './headers';
import { encodePayload, type Format } from './payload';

export interface Outgoing {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  /** The idempotency key of the call: attempts of the same message share it. */
  readonly key: string;
  readonly messageId: string;
  /** Of headers and properties on the wire, at most. */
  readonly headerBytes: number;
  readonly options: Options.Publish & { readonly mandatory: boolean };
}

export interface PublishValues {
  readonly exchange: string;
  readonly routingKey: string;
  readonly payload: unknown;
  readonly format: Format;
  readonly contentType: string;
  readonly headers: unknown;
  readonly persistent: boolean;
  readonly mandatory: boolean;
  readonly priority: number | undefined;
  readonly expiration: number | undefined;
  readonly messageType: string;
  readonly messageId: string;
  readonly correlationId: string;
  readonly replyTo: string;
}

const SHORT = 255;
/** More than all properties but the headers can take. */
const PROPERTY_BYTES = 2500;
/** A pseudo queue that answers only to consumers of the same channel. */
const DIRECT_REPLY = 'amq.rabbitmq.reply-to';

/** @throws Failure `rejected` that names what cannot be sent. */
export function outgoing(values: PublishValues, key: string, nowMs: number): Outgoing {
  const { body, contentType } = encodePayload(values.payload, values.format);
  const { table, bytes } = encodeTable(values.headers, 'Headers');
  const messageId = values.messageId || key;
  const options: Outgoing['options'] = {
    mandatory: values.mandatory,
    persistent: values.persistent,
    headers: table,
    messageId: short(messageId, 'Message id'),
    contentType: short(values.contentType || contentType, 'Content type'),
    timestamp: Math.floor(nowMs / 1000),
    ...(values.priority === undefined ? {} : { priority: values.priority }),
    ...(values.expiration === undefined ? {} : { expiration: String(Math.round(values.expiration)) }),
    ...text('type', values.messageType, 'Message type'),
    ...text('correlationId', values.correlationId, 'Correlation id'),
    ...text('replyTo', values.replyTo, 'Reply queue'),
  };
  if (values.replyTo === DIRECT_REPLY) {
    throw bad('Answers cannot be awaited through the direct reply queue; name a queue of your own.');
  }
  return {
    exchange: short(values.exchange, 'Exchange'),
    routingKey: short(values.routingKey, 'Routing key'),
    body,
    key,
    messageId,
    headerBytes: bytes + PROPERTY_BYTES,
    options,
  };
}

function text(name: string, value: string, label: string): Record<string, string> {
  return value === '' ? {} : { [name]: short(value, label) };
}

function short(value: string, label: string): string {
  const bytes = Buffer.byteLength(value);
  if (bytes > SHORT) throw bad(`"${label}" has ${bytes} bytes; at most 255 are possible.`);
  return value;
}

function bad(what: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', what, { reached: false });
}
