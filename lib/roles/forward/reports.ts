/** What the second output says about each message that was not simply delivered. */
import type { FailureRecord, Message } from '../../core';

export type DeliveryEvent = 'stored' | 'delivered' | 'dead' | 'dropped';

/** Stands in `msg.delivery` of reports and of results that come from the store. */
export interface DeliveryReport {
  readonly event: DeliveryEvent;
  /** Idempotency key. */
  readonly id: string;
  /** When the message arrived first, ISO 8601 UTC. */
  readonly time: string;
  /** Deliveries so far. */
  readonly attempts: number;
  /** Messages in the store of this node. */
  readonly waiting: number;
}

export function reportOf(
  msg: Message,
  delivery: DeliveryReport,
  failure: FailureRecord | undefined,
): Message {
  return failure ? { ...msg, delivery, failure } : { ...msg, delivery };
}
