/** Brings dead letters back: each is confirmed in its queue before it leaves the dead letters. */
import type { Channel, GetMessage } from 'amqplib';
import { Failure } from '../../core';
import type { DeadFilter } from '../types';
import { matches } from './dead';
import { classifyRabbit } from './errors';
import type { Places } from './names';
import { Proof } from './proof';
import type { Publisher } from './publisher';
import type { Session } from './session';
import { propertiesOf, readMessage } from './wire';

/**
 * Looks at each dead letter that is there now once. Those that do not match are held by the broker until all were
 * looked at and go back in their order. A crash in between may leave one in both queues, with the same id.
 */
export async function replay(
  session: Session,
  publisher: Publisher,
  places: Places,
  filter: DeadFilter,
): Promise<number> {
  return session.aside(async (channel) => {
    const kept: GetMessage[] = [];
    const proof = new Proof(session, channel);
    let brought = 0;
    try {
      const { messageCount } = await session.run(() => channel.checkQueue(places.dead));
      for (let i = 0; i < messageCount; i += 1) {
        const message = await session.run(() => channel.get(places.dead));
        if (message === false) break;
        if (!matches(message, filter)) kept.push(withoutBody(message));
        else {
          kept.push(message);
          await bring(publisher, places.queue, message);
          kept.pop();
          channel.ack(message);
          brought += 1;
        }
      }
    } catch (error) {
      throw classifyRabbit(error);
    } finally {
      giveBack(channel, kept);
      if (!session.ended) await proof.taken();
    }
    return brought;
  });
}

async function bring(publisher: Publisher, queue: string, message: GetMessage): Promise<void> {
  const { entry, history } = readMessage(message);
  if (await publisher.send(queue, entry.body, propertiesOf(entry, history))) return;
  throw new Failure(
    'throttled',
    'QUEUE_FULL',
    `The queue "${queue}" takes no more dead letters back now. Those that came back stay; try the rest later.`,
    { reached: false },
  );
}

function giveBack(channel: Channel, messages: readonly GetMessage[]): void {
  try {
    for (const message of messages) channel.nack(message, false, true);
  } catch {
    // The channel is gone, and with it our hold on them.
  }
}

/** Many may be held: only what names them stays in memory. */
const withoutBody = ({ fields }: GetMessage): GetMessage =>
  ({ fields, properties: {}, content: Buffer.alloc(0) }) as unknown as GetMessage;
