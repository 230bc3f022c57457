/** The dead letters of all queues of a prefix, for people: list, look at, bring back, remove. */
import type { StoredMsg } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { randomUUID } from 'node:crypto';
import { Failure } from '../../core';
import type {
  Attempt,
  DeadFilter,
  DeadLetter,
  DeadLetterDetail,
  DeadLetters,
  DeadLimits,
  Entry,
  Source,
} from '../types';
import { watchDead } from './dead-watch';
import { queueOfSubject, scan } from './dead-scan';
import { DEAD_WINDOW_MS, readLetter, type Graves } from './graves';
import { checkQueueName, token } from './names';
import { messageId, readHistory, readRecord, writeRecord } from './record';
import { revive } from './revive';
import { apiCode } from './stream';
import { Tally } from './tally';

const NANOS = 1_000_000;
const NOT_FOUND = 10_037;
const DELETE_FAILED = 10_057;
const LONGEST_PAGE = 1_000;
/** Letters that one replay or purge moves between two looks at the list. */
const BATCH = 1_000;

export class NatsDeadLetters implements DeadLetters {
  /** Counts what left the stream by hand, so that the rest is what made room. */
  readonly #tally: Tally;
  readonly #watchers = new Set<(letter: DeadLetter) => void>();
  #stopWatching: Promise<(() => void) | undefined> | undefined;

  constructor(
    readonly graves: Graves,
    readonly bucket: KV,
  ) {
    this.#tally = new Tally(graves.session, bucket, 'all.dead');
  }

  async list(
    filter: DeadFilter,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]> {
    const found: DeadLetter[] = [];
    const limit = Math.min(page.limit, LONGEST_PAGE);
    if (limit <= 0) return found;
    await scan(this.graves, filter, page.after, (letter) => found.push(letter) < limit);
    return found;
  }

  async get(number: number): Promise<DeadLetterDetail | undefined> {
    if (!Number.isSafeInteger(number) || number < 1) return undefined;
    const stored = await this.#stored(number);
    const queue = stored && queueOfSubject(stored.subject);
    if (!stored || queue === undefined) return undefined;
    const letter = readLetter(number, queue, stored.header, stored.data.length, stored.time.getTime());
    return { ...letter, body: stored.data, history: readHistory(stored.header) };
  }

  async add(
    queue: string,
    entry: Entry,
    owner: Source,
    history: readonly Attempt[],
    attempts: number,
  ): Promise<number> {
    checkQueueName(queue);
    const once = `add ${randomUUID()}`;
    return (await this.graves.bury({ queue, entry, owner, history, attempts, once })).number;
  }

  async replay(filter: DeadFilter, body?: Uint8Array): Promise<number> {
    if (body && filter.numbers?.length !== 1) {
      throw new Failure('rejected', 'BAD_MESSAGE', 'A changed message can replace exactly one dead letter.', {
        reached: false,
      });
    }
    return this.#each(filter, (letter) => this.#replayOne(letter, body));
  }

  async purge(filter: DeadFilter): Promise<number> {
    return this.#each(filter, (letter) => this.#remove(letter.number));
  }

  async stats(): Promise<{ readonly records: number; readonly bytes: number; readonly dropped: number }> {
    const { session, stream } = this.graves;
    const [{ state }, counts] = await Promise.all([
      session.run(() => session.jsm.streams.info(stream)),
      this.#tally.read(),
    ]);
    const dropped = Math.max(0, state.last_seq - state.messages - counts.purged);
    return { records: state.messages, bytes: state.bytes, dropped };
  }

  /** How many of one queue. */
  async count(queue: string): Promise<number> {
    const { session, stream } = this.graves;
    const subjects_filter = this.graves.subject(queue);
    const { state } = await session.run(() => session.jsm.streams.info(stream, { subjects_filter }));
    return state.subjects?.[subjects_filter] ?? 0;
  }

  /** The one setting of the server that Holdfast changes, because it is asked to. */
  async limit({ maxRecords, maxBytes, maxAgeMs }: DeadLimits): Promise<void> {
    const { session, stream } = this.graves;
    const window = maxAgeMs > 0 ? Math.min(DEAD_WINDOW_MS, maxAgeMs) : DEAD_WINDOW_MS;
    await session.run(() =>
      session.jsm.streams.update(stream, {
        max_msgs: maxRecords || -1,
        max_bytes: maxBytes || -1,
        max_age: maxAgeMs * NANOS,
        duplicate_window: window * NANOS,
      }),
    );
  }

  onAdded(fn: (letter: DeadLetter) => void): () => void {
    this.#watchers.add(fn);
    this.#stopWatching ??= this.#watch();
    this.graves.watching = this.#stopWatching;
    return () => void this.#watchers.delete(fn);
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    const stop = await this.#stopWatching;
    stop?.();
  }

  /** Never rejects: the next watcher tries again. */
  async #watch(): Promise<(() => void) | undefined> {
    try {
      return await watchDead(this.graves, (letter) => {
        for (const watcher of this.#watchers) watcher(letter);
      });
    } catch (error) {
      this.#stopWatching = undefined;
      const why = error instanceof Error ? error.message : 'unknown';
      this.graves.session.log.warn(`New dead letters on the NATS server are not announced here: ${why}`);
      return undefined;
    }
  }

  /** In batches, oldest first, so that memory does not grow with the number of letters. */
  async #each(filter: DeadFilter, work: (letter: DeadLetter) => Promise<boolean>): Promise<number> {
    let done = 0;
    for (let after = 0; ;) {
      const batch: DeadLetter[] = [];
      await scan(this.graves, filter, after, (letter) => batch.push(letter) < BATCH);
      for (const letter of batch) {
        if (await work(letter)) done += 1;
        after = letter.number;
      }
      if (batch.length < BATCH) return done;
    }
  }

  /** Put back first, then removed; a crash between leaves both, and the server knows the second replay. */
  async #replayOne({ number, queue }: DeadLetter, body: Uint8Array | undefined): Promise<boolean> {
    const { session } = this.graves;
    const stored = await this.#stored(number);
    if (!stored) return false;
    const fallback = { id: `dead:${number}`, time: stored.time.getTime() };
    const record = readRecord(stored.header, body ?? stored.data, fallback);
    const entry = { ...record, history: readHistory(stored.header) };
    const once = messageId(`holdfast:replay ${number} ${stored.timestamp}`);
    const isNew = await revive(this.graves, queue, writeRecord(session, entry), entry.body, once);
    await this.#remove(number);
    if (isNew) await new Tally(session, this.bucket, token(queue)).add({ replayed: 1 });
    return isNew;
  }

  async #stored(number: number): Promise<StoredMsg | undefined> {
    const { session, stream } = this.graves;
    return (await session.run(() => session.jsm.streams.getMessage(stream, { seq: number }))) ?? undefined;
  }

  async #remove(number: number): Promise<boolean> {
    const { session, stream } = this.graves;
    try {
      await session.run(() => session.jsm.streams.deleteMessage(stream, number, false));
    } catch (error) {
      if (apiCode(error) === DELETE_FAILED || apiCode(error) === NOT_FOUND) return false;
      throw error;
    }
    await this.#tally.add({ purged: 1 });
    return true;
  }
}
