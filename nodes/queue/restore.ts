/** From what was leased to the message that leaves. */
import type { Message } from '../../lib/core';
import { decodeMessage } from '../../lib/queue/codec';
import type { Leased } from '../../lib/queue';
import { deliveryOf } from './facts';

/** Throws a Failure when the stored bytes are no message. */
export function restore(queue: string, leased: Leased, withToken: boolean): Message {
  const msg = decodeMessage(leased.entry.body);
  msg.queue = deliveryOf(queue, leased, withToken);
  msg.idempotencyKey = leased.entry.id;
  return msg;
}

/** Several messages as one: their payloads, their deliveries, and themselves, each in the queue's order. */
export function joined(messages: readonly Message[]): Message {
  return {
    payload: messages.map((one) => one.payload),
    queue: messages.map((one) => one.queue),
    messages,
  };
}
