/** Tells of each new dead letter, whoever wrote it. */
import type { DeadLetter } from '../types';
import { queueOfSubject } from './dead-scan';
import { readLetter, type Graves } from './graves';

/** Returns what ends it. The connection's end ends it as well. */
export async function watchDead(graves: Graves, tell: (letter: DeadLetter) => void): Promise<() => void> {
  const { session, stream } = graves;
  const { DeliverPolicy } = session.lib.jetstream;
  const consumer = await session.run(() =>
    session.js.consumers.get(stream, { deliver_policy: DeliverPolicy.New, headers_only: true }),
  );
  const messages = await session.run(() =>
    consumer.consume({
      callback: (msg) => {
        const queue = queueOfSubject(msg.subject);
        if (queue === undefined) return;
        const bytes = Number(msg.headers?.get('Nats-Msg-Size')) || msg.data.length;
        tell(readLetter(msg.seq, queue, msg.headers, bytes, msg.time.getTime()));
      },
    }),
  );
  return () => messages.stop();
}
