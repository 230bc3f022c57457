import type { Effect, Message } from '../../core';
import type { CallValuesOf, Fields } from '../../spec';

/** One message that is to be delivered. */
export interface Job {
  readonly msg: Message;
  readonly values: CallValuesOf<Fields>;
  readonly effect: Effect;
  /** Idempotency key: the record's id. */
  readonly id: string;
  /** Jobs of one line are delivered one after the other; undefined: it waits for none. */
  readonly line: string | undefined;
  /** When the message arrived, milliseconds since 1970 UTC. */
  readonly time: number;
  /** Jobs of the same group may be delivered together in one joined call; undefined: alone. */
  readonly group: string | undefined;
}
