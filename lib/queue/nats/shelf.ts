/** Looks at a queue without consuming: summaries and counts. */
import type { QueueStats, RecordSummary } from '../types';
import type { Bed } from './bed';
import { readRecord } from './record';
import { nextStored } from './room';

const LONGEST_PAGE = 1_000;

/** The body comes with each record, so one is fetched after the other and dropped. */
export async function inspect(
  bed: Bed,
  page: { readonly after: number; readonly limit: number },
): Promise<readonly RecordSummary[]> {
  const { session, names } = bed;
  const info = await session.run(() => session.jsm.consumers.info(names.stream, names.consumer));
  const leased = bed.held.seqs();
  const found: RecordSummary[] = [];
  let seq = page.after + 1;
  while (found.length < Math.min(page.limit, LONGEST_PAGE)) {
    const stored = await nextStored(bed, seq);
    if (!stored) break;
    seq = stored.seq + 1;
    const fallback = { id: `nats:${names.stream}:${stored.seq}`, time: stored.time.getTime() };
    const { id, key, time } = readRecord(stored.header, stored.data, fallback);
    const out = stored.seq <= info.delivered.stream_seq && info.num_ack_pending > 0;
    const state = stateOf(bed, stored.seq, out, leased);
    const delivery = out ? await deliveries(bed, stored.seq) : 0;
    found.push({ position: stored.seq, id, key, time, bytes: stored.data.length, delivery, state });
  }
  return found;
}

/** Of a record that another gateway has, only that it is out is known. */
function stateOf(bed: Bed, seq: number, out: boolean, leased: ReadonlySet<number>): RecordSummary['state'] {
  if (leased.has(seq)) return 'leased';
  const until = bed.returned.get(seq);
  if (until !== undefined) return until > bed.session.clock.mono() ? 'delayed' : 'waiting';
  return out ? 'leased' : 'waiting';
}

async function deliveries(bed: Bed, seq: number): Promise<number> {
  const held = bed.held.find(seq);
  if (held) return held.delivery;
  return Math.max(1, (await bed.notes.read(bed.names, seq)).history.length);
}

export async function queueStats(bed: Bed, dead: (queue: string) => Promise<number>): Promise<QueueStats> {
  const { session, names } = bed;
  const [stream, consumer, counts, deadCount] = await Promise.all([
    session.run(() => session.jsm.streams.info(names.stream)),
    session.run(() => session.jsm.consumers.info(names.stream, names.consumer)),
    bed.tally.read(),
    dead(bed.name),
  ]);
  const { state } = stream;
  const there = state.messages;
  const now = session.clock.mono();
  const held = bed.held.seqs();
  const returned = [...bed.returned].filter(([seq]) => seq >= state.first_seq && !held.has(seq));
  const delayed = Math.min(returned.filter(([, until]) => until > now).length, consumer.num_ack_pending);
  const free = Math.min(returned.length - delayed, consumer.num_ack_pending - delayed);
  const leased = Math.min(consumer.num_ack_pending - delayed - Math.max(0, free), there - delayed);
  const full = counts.full + counts.newest;
  const gone = counts.died + counts.full + counts.old + counts.purged;
  const oldestMs = there === 0 ? 0 : Math.max(0, (await bed.time.now()) - Date.parse(state.first_ts));
  return {
    waiting: there - leased - delayed,
    leased,
    delayed,
    dead: deadCount,
    bytes: state.bytes,
    oldestMs,
    totals: {
      put: state.last_seq + counts.newest,
      // Every other way out of the stream is counted, so this is the rest.
      acknowledged: Math.max(0, state.last_seq - there - gone),
      died: counts.died,
      replayed: counts.replayed,
      dropped: { full, old: counts.old, purged: counts.purged },
      duplicates: counts.duplicates,
    },
  };
}
