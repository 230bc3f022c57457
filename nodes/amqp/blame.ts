/** A channel closed: which of the messages on it is to blame, and what that means for the others. */
import { Failure } from '../../lib/core';
import { channelFailure, type Close } from './classify';
import type { Outgoing } from './message';

const SIZE = /message size (\d+)/;
const TOPIC = /access to topic '(.*)' in exchange/;

/** One failure a message, in the order in which they were sent. */
export function blame(waiting: readonly Outgoing[], close: Close | undefined): readonly Failure[] {
  if (!close) return waiting.map(() => lost());
  const guilty = culprit(waiting, close);
  return waiting.map((out, i) => {
    if (guilty === 'all' || guilty === i) return channelFailure(close, nameOf(out));
    // What was sent after the culprit, the broker has thrown away unread.
    return broken(!(typeof guilty === 'number' && i > guilty));
  });
}

function culprit(waiting: readonly Outgoing[], { code, text }: Close): number | 'all' | undefined {
  const topic = TOPIC.exec(text)?.[1];
  if (topic !== undefined) return found(waiting.findIndex(({ routingKey }) => routingKey === topic));
  if (code === 404 || code === 403) return 'all';
  const size = SIZE.exec(text)?.[1];
  if (size !== undefined) return found(waiting.findIndex(({ body }) => body.length === Number(size)));
  // Nothing tells them apart but that there is only one.
  return waiting.length === 1 ? 0 : undefined;
}

const found = (index: number): number | undefined => (index < 0 ? undefined : index);

function nameOf({ exchange, body }: Outgoing): string {
  return exchange === '' ? `The message of ${body.length} bytes` : `Exchange "${exchange}"`;
}

/** Another message made the broker close the channel that this one used. */
export function broken(reached: boolean): Failure {
  const text = 'The broker closed the channel because of another message before it confirmed this one.';
  return new Failure('transient', 'CONNECTION_LOST', text, { reached, partial: true });
}

function lost(): Failure {
  const text = 'The connection to the broker ended before it confirmed the message.';
  return new Failure('disconnected', 'CONNECTION_LOST', text);
}
