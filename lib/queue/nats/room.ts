/** Removes records that nobody has leased: the oldest to make room, old ones by age, all of them on purge. */
import type { StoredMsg } from '@nats-io/jetstream';
import type { Bed } from './bed';
import { apiCode } from './stream';

const NOT_FOUND = 10_037;
/** JetStream says "no message found" with this number when a deleted message is deleted again. */
const DELETE_FAILED = 10_057;
/** The same, of a message that was acknowledged or dropped long ago. */
const SEQUENCE_NOT_FOUND = 10_043;
const GONE = new Set([NOT_FOUND, DELETE_FAILED, SEQUENCE_NOT_FOUND]);
/** Deletions on their way at once. */
const AT_ONCE = 64;

/** Drops the oldest record that is not leased. False when there is none. */
export async function makeRoom(bed: Bed): Promise<boolean> {
  for (;;) {
    const seq = await firstFree(bed);
    if (seq === undefined) return false;
    if (!(await remove(bed, seq))) continue;
    bed.hints.tell({ what: 'dropped', count: 1, reason: 'full' });
    await bed.tally.add({ full: 1 });
    return true;
  }
}

/** True when this call removed it. */
export async function remove(bed: Bed, seq: number): Promise<boolean> {
  try {
    await bed.session.run(() => bed.session.jsm.streams.deleteMessage(bed.names.stream, seq, false));
    bed.returned.delete(seq);
    return true;
  } catch (error) {
    if (GONE.has(apiCode(error))) return false;
    throw error;
  }
}

/** Every record that no gateway has leased, as far as this one can know. */
export async function purgeFree(bed: Bed): Promise<number> {
  const { session, names } = bed;
  const info = await session.run(() => session.jsm.consumers.info(names.stream, names.consumer));
  if (info.num_ack_pending === 0) {
    const { purged } = await session.run(() => session.jsm.streams.purge(names.stream));
    return purged;
  }
  const { state } = await session.run(() => session.jsm.streams.info(names.stream));
  const leased = bed.held.seqs();
  let wanted = [...bed.returned.keys()].filter((seq) => !leased.has(seq));
  let removed = 0;
  for (let seq = Math.max(info.delivered.stream_seq + 1, state.first_seq); seq <= state.last_seq; seq += 1) {
    wanted.push(seq);
    if (wanted.length < AT_ONCE) continue;
    removed += await removeAll(bed, wanted);
    wanted = [];
  }
  return removed + (await removeAll(bed, wanted));
}

async function removeAll(bed: Bed, seqs: readonly number[]): Promise<number> {
  const results = await Promise.all(seqs.map((seq) => remove(bed, seq)));
  return results.filter(Boolean).length;
}

/** Delivered records may be leased by any gateway; those that this one gave back are free again. */
async function firstFree(bed: Bed): Promise<number | undefined> {
  const { session, names } = bed;
  const info = await session.run(() => session.jsm.consumers.info(names.stream, names.consumer));
  const leased = bed.held.seqs();
  const returned = [...bed.returned.keys()].filter((seq) => !leased.has(seq));
  if (info.num_ack_pending > 0 && returned.length > 0) return Math.min(...returned);
  return nextSeq(bed, info.delivered.stream_seq + 1);
}

/** Position of the first record at or after `seq`. */
export async function nextSeq(bed: Bed, seq: number): Promise<number | undefined> {
  return (await nextStored(bed, seq))?.seq;
}

/** The first record at or after `seq`, with its body. */
export async function nextStored(bed: Bed, seq: number): Promise<StoredMsg | undefined> {
  const { session, names } = bed;
  const query = { seq, next_by_subj: names.subject };
  const stored = await session.run(() => session.jsm.streams.getMessage(names.stream, query));
  return stored ?? undefined;
}
