/** Goes through the dead letters by their headers alone, without moving bodies over the network. */
import type { DeadFilter, DeadLetter } from '../types';
import { readLetter, type Graves } from './graves';
import { queueNameOf } from './names';
import type { Delivered } from './delivered';
import { pull } from './pull';

const PAGE = 500;
/** A scan that nobody finishes ends itself on the server. */
const IDLE_NANOS = 30e9;

/** Calls `each` with every letter that matches, oldest first, until it returns false. */
export async function scan(
  graves: Graves,
  filter: DeadFilter,
  after: number,
  each: (letter: DeadLetter) => boolean,
): Promise<void> {
  if (filter.numbers?.length === 0) return;
  const { session, stream } = graves;
  const { AckPolicy, DeliverPolicy } = session.lib.jetstream;
  const from = Math.max(after + 1, Math.min(...(filter.numbers ?? [1])), 1);
  const place = filter.queue === undefined ? {} : { filter_subject: graves.subject(filter.queue) };
  const info = await session.run(() =>
    session.jsm.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
      headers_only: true,
      mem_storage: true,
      inactive_threshold: IDLE_NANOS,
      ...place,
    }),
  );
  const matches = matcher(filter);
  try {
    for (let more = true; more;) {
      const page = await pull(session, { stream, consumer: info.name }, PAGE);
      more = page.length > 0 && page.every((one) => visit(one, matches, each));
    }
  } finally {
    await session.run(() => session.jsm.consumers.delete(stream, info.name)).catch(() => {});
  }
}

function visit(
  { msg, seq, storedAt }: Delivered,
  matches: (letter: DeadLetter) => boolean,
  each: (letter: DeadLetter) => boolean,
): boolean {
  const queue = queueOfSubject(msg.subject);
  if (queue === undefined) return true;
  const bytes = Number(msg.headers?.get('Nats-Msg-Size')) || msg.data.length;
  const letter = readLetter(seq, queue, msg.headers, bytes, storedAt);
  return matches(letter) ? each(letter) : true;
}

/** The queue whose dead letters have this subject. */
export function queueOfSubject(subject: string): string | undefined {
  return queueNameOf(subject.slice(subject.lastIndexOf('.') + 1));
}

function matcher(filter: DeadFilter): (letter: DeadLetter) => boolean {
  const numbers = filter.numbers && new Set(filter.numbers);
  return (letter) =>
    (!numbers || numbers.has(letter.number)) &&
    (filter.queue === undefined || letter.queue === filter.queue) &&
    (filter.node === undefined || letter.source.node === filter.node) &&
    (filter.code === undefined || letter.code === filter.code) &&
    (filter.kind === undefined || letter.kind === filter.kind) &&
    (filter.id === undefined || letter.id === filter.id) &&
    (filter.key === undefined || letter.key === filter.key) &&
    (filter.since === undefined || letter.lastAt >= filter.since) &&
    (filter.before === undefined || letter.lastAt < filter.before);
}
