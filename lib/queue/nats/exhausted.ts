/**
 * Our own consumer has no delivery limit, but an administrator may give it one. A record that reaches it would stay in
 * the stream and never be delivered again; the server tells this once, and we make a dead letter of it.
 */
import type { Bed } from './bed';
import { parse, readHistory, readRecord } from './record';
import { remove } from './room';

/** Returns what ends it. One gateway of all hears each advisory. */
export function watchExhausted(bed: Bed): () => void {
  const { session, names } = bed;
  const subject = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${names.stream}.${names.consumer}`;
  const sub = session.nc.subscribe(subject, {
    queue: 'holdfast',
    callback: (error, msg) => {
      if (error) return;
      const { stream_seq: seq, deliveries } = parse(msg.string());
      if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(deliveries)) return;
      bury(bed, Number(seq), Number(deliveries)).catch((reason: unknown) => {
        session.log.error(
          `A record of the queue "${bed.name}" reached the server's delivery limit and could not be moved to the dead letters: ${reason instanceof Error ? reason.message : 'unknown'} It stays in the stream ${names.stream} at ${Number(seq)}.`,
        );
      });
    },
  });
  return () => {
    if (!sub.isClosed()) sub.unsubscribe();
  };
}

async function bury(bed: Bed, seq: number, deliveries: number): Promise<void> {
  const { session, names, name, options, notes, graves, hints, tally } = bed;
  const stored = await session.run(() => session.jsm.streams.getMessage(names.stream, { seq }));
  if (!stored) return;
  const entry = readRecord(stored.header, stored.data, {
    id: `nats:${names.stream}:${seq}`,
    time: stored.time.getTime(),
  });
  const note = await notes.read(names, seq);
  const before = note.history.length > 0 ? note.history : readHistory(stored.header);
  const last = {
    at: session.clock.now(),
    kind: 'rejected' as const,
    code: 'DELIVERIES_EXHAUSTED',
    message: `It was delivered ${deliveries} times without being acknowledged, as often as the NATS server allows.`,
    source: options.owner,
  };
  const once = `${names.stream} ${seq} ${stored.time.getTime()} ${entry.id}`;
  await graves.bury({
    queue: name,
    entry,
    attempts: Math.max(1, deliveries - note.released),
    history: [...before, last],
    owner: options.owner,
    once,
  });
  if (!(await remove(bed, seq))) return;
  await notes.drop(names, seq);
  hints.tell({ what: 'died', count: 1 });
  await tally.add({ died: 1 });
}
