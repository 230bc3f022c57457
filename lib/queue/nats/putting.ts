/** Puts records: resolved by the server's confirmation only. */
import { Failure } from '../../core';
import type { Entry, PutResult } from '../types';
import { queueFull, type Bed } from './bed';
import { messageId, HEADER_RESERVE, writeRecord } from './record';
import { makeRoom } from './room';

/** Bodies that wait for the server's confirmation; more would only fill this gateway's memory. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024;

/** What the server stores with a message beside its subject, headers and body; rather more than less. */
const STORED_WITH = 64;
const LINE_WITH = ': \r\n'.length;

export class Putting {
  #waitingBytes = 0;
  #room: Promise<unknown> = Promise.resolve();

  constructor(readonly bed: Bed) {}

  async put(entry: Entry): Promise<PutResult> {
    this.#check(entry);
    this.#waitingBytes += entry.body.length;
    try {
      const result = await this.#store(entry);
      await this.#tell(result);
      return result;
    } finally {
      this.#waitingBytes -= entry.body.length;
    }
  }

  async #store(entry: Entry): Promise<PutResult> {
    const result = await this.#publish(entry);
    if (result !== 'full') return result;
    // What does not fit into the empty queue must not cost the others their place.
    if (this.bed.options.whenFull === 'reject' || this.#neverFits(entry)) throw queueFull(this.bed);
    if (this.bed.options.whenFull === 'dropNewest') return 'dropped';
    // One at a time: each drops as much as it needs, and no more.
    const next = this.#room.then(() => this.#publishInto(entry));
    this.#room = next.catch(() => {});
    return next;
  }

  /** Drops the oldest that nobody has leased until the record fits. */
  async #publishInto(entry: Entry): Promise<PutResult> {
    for (;;) {
      const result = await this.#publish(entry);
      if (result !== 'full') return result;
      if (!(await makeRoom(this.bed))) throw queueFull(this.bed);
    }
  }

  async #publish(entry: Entry): Promise<PutResult | 'full'> {
    const { session, names, options } = this.bed;
    const publish = { headers: writeRecord(session, entry) };
    const once = options.duplicateWindowMs > 0 ? { ...publish, msgID: messageId(entry.id) } : publish;
    try {
      const ack = await session.run(() => session.js.publish(names.subject, entry.body, once));
      return ack.duplicate ? 'duplicate' : 'stored';
    } catch (error) {
      if (isFull(error)) return 'full';
      throw error;
    }
  }

  #neverFits(entry: Entry): boolean {
    const { session, names, options } = this.bed;
    if (options.maxBytes === 0) return false;
    const headers = writeRecord(session, entry);
    let size = STORED_WITH + names.subject.length + messageId(entry.id).length + entry.body.length;
    for (const key of headers.keys()) size += key.length + headers.get(key).length + LINE_WITH;
    return size > options.maxBytes;
  }

  async #tell(result: PutResult): Promise<void> {
    const { hints, tally } = this.bed;
    if (result === 'stored') return hints.ready();
    if (result === 'duplicate') return void tally.add({ duplicates: 1 });
    hints.tell({ what: 'dropped', count: 1, reason: 'full' });
    // It never was in the stream: the totals count it as put and dropped.
    await tally.add({ newest: 1 });
  }

  #check({ id, key, time, body }: Entry): void {
    if (id.length < 1 || id.length > 200 || key.length > 200) {
      throw refusal('Its id must have 1 to 200 characters and its key at most 200.');
    }
    if (!Number.isFinite(time)) throw refusal('Its time must be a number of milliseconds since 1970.');
    const most = (this.bed.session.nc.info?.max_payload ?? 1024 * 1024) - HEADER_RESERVE;
    if (body.length > most) {
      throw refusal(
        `It has ${body.length} bytes, and this server takes at most ${most}. Send less, or raise "max_payload" in the server's configuration.`,
      );
    }
    if (this.#waitingBytes > 0 && this.#waitingBytes + body.length > MOST_WAITING_BYTES) {
      throw new Failure(
        'transient',
        'QUEUE_UNAVAILABLE',
        `The NATS server is slower than the messages for the queue "${this.bed.name}" come: ${MOST_WAITING_BYTES} bytes wait for it already. Check server and network.`,
        { reached: false },
      );
    }
  }
}

function refusal(why: string): Failure {
  return new Failure('rejected', 'NOT_STORABLE', `The message cannot be stored on the NATS server. ${why}`, {
    reached: false,
  });
}

/** JetStream wraps what the store says into one error number; only its words tell a full stream from a full disk. */
function isFull(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  return /maximum (messages|bytes) exceeded/.test(cause);
}
