/** Puts a dead letter back to the end of its queue, which need not be open here and may not even exist yet. */
import type { MsgHdrs } from '@nats-io/transport-node';
import { isFailure } from '../../core';
import type { Graves } from './graves';
import { queueNames } from './names';
import { ensureStream, queueStream } from './stream';

/** True when it was not put back before. */
export async function revive(
  graves: Graves,
  queue: string,
  headers: MsgHdrs,
  body: Uint8Array,
  once: string,
): Promise<boolean> {
  const { session } = graves;
  const names = queueNames(session.places.prefix, queue);
  const publish = () =>
    session.run(() => session.js.publish(names.subject, body, { headers: fresh(headers), msgID: once }));
  const fresh = (source: MsgHdrs): MsgHdrs => {
    const copy = session.lib.transport.headers();
    for (const key of source.keys()) if (!key.startsWith('Nats-')) copy.set(key, source.get(key));
    return copy;
  };
  let ack;
  try {
    ack = await publish();
  } catch (error) {
    if (!isFailure(error) || error.code !== 'QUEUE_UNAVAILABLE' || error.reached) throw error;
    // Nobody listens on the subject: the stream waits for the first opener, who gives it its settings.
    await ensureStream(session, queueStream(session, names, undefined));
    ack = await publish();
  }
  session.tell(names.hint, JSON.stringify({ from: '', what: 'ready' }));
  return !ack.duplicate;
}
