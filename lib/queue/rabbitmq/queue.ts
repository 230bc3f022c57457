/** One queue on RabbitMQ, as one gateway has it open. See `store.ts` for what it can and cannot promise. */
import type { Channel } from 'amqplib';
import { Failure } from '../../core';
import type {
  Attempt,
  DeadFilter,
  Entry,
  Leased,
  LeaseOptions,
  PutResult,
  Queue,
  QueueListener,
  QueueOptions,
  QueueStats,
  RecordSummary,
} from '../types';
import { checkEntry } from '../memory/check';
import { deadProperties } from './dead';
import { classifyRabbit } from './errors';
import { Held, type Holding } from './held';
import { AttemptMemory } from './memory';
import type { Places } from './names';
import { Proof } from './proof';
import type { Publisher } from './publisher';
import { replay } from './replay';
import type { Session } from './session';
import { Listeners } from './tell';
import { propertiesOf, readMessage } from './wire';

/** A lease stops at so many bytes, however many records were asked for. */
const LEASE_BYTES = 16_777_216;

export interface QueueParts {
  readonly session: Session;
  readonly channel: Channel;
  readonly publisher: Publisher;
  readonly places: Places;
  readonly options: QueueOptions;
}

export class RabbitQueue implements Queue {
  readonly #held: Held;
  readonly #proof: Proof;
  readonly #memory = new AttemptMemory();
  readonly #listeners = new Listeners();
  readonly #forgetTrouble: () => void;
  readonly #totals = { put: 0, acknowledged: 0, died: 0, replayed: 0, full: 0, purged: 0 };
  #leasing: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(
    readonly name: string,
    private readonly parts: QueueParts,
  ) {
    const { session, channel } = parts;
    this.#held = new Held(session.clock, (holding) => this.#requeue(holding));
    this.#proof = new Proof(session, channel);
    this.#forgetTrouble = session.onTrouble((sentence) => this.#listeners.trouble(sentence));
  }

  async put(entry: Entry): Promise<PutResult> {
    this.#assertOpen();
    checkEntry(entry);
    const { publisher, places, options } = this.parts;
    const history = entry.history ?? [];
    // RabbitMQ would take what can never fit, and let it push everything else out.
    const neverFits = options.maxBytes > 0 && entry.body.byteLength > options.maxBytes;
    if (!neverFits && (await publisher.send(places.queue, entry.body, propertiesOf(entry, history)))) {
      this.#totals.put += 1;
      this.#listeners.ready();
      return 'stored';
    }
    if (options.whenFull !== 'dropNewest') throw this.#refused();
    this.#totals.put += 1;
    this.#totals.full += 1;
    this.#listeners.dropped(1);
    return 'dropped';
  }

  async lease(options: LeaseOptions): Promise<readonly Leased[]> {
    this.#assertOpen();
    const work = this.#leasing.then(() => this.#lease(options));
    this.#leasing = work.catch(() => {});
    return work;
  }

  async acknowledge(token: string): Promise<boolean> {
    const holding = this.#take(token);
    if (!holding) return false;
    await this.#settle(holding);
    this.#totals.acknowledged += 1;
    this.#listeners.ready();
    return true;
  }

  async reject(token: string, attempt: Attempt | undefined, delayMs: number): Promise<boolean> {
    const holding = this.#take(token);
    if (!holding) return false;
    // The broker would bury it without our reason.
    if (this.#isLast(holding)) return this.#bury(holding, attempt ?? this.#exhausted());
    if (attempt) this.#memory.add(holding.entry.id, attempt);
    if (delayMs > 0) {
      this.#held.put(holding);
      this.#held.keep(holding, 'delayed', delayMs);
      return true;
    }
    this.#requeue(holding);
    await this.#proof.taken();
    return true;
  }

  async release(token: string): Promise<boolean> {
    this.#assertOpen();
    const holding = this.#held.leased(token);
    if (!holding) return false;
    this.#held.keep(holding, 'free');
    this.#listeners.ready();
    return true;
  }

  async extend(token: string, visibilityMs: number): Promise<boolean> {
    this.#assertOpen();
    const holding = this.#held.leased(token);
    if (holding) this.#held.keep(holding, 'leased', visibilityMs);
    return holding !== undefined;
  }

  async deadLetter(token: string, attempt: Attempt): Promise<boolean> {
    const holding = this.#take(token);
    return holding ? this.#bury(holding, attempt) : false;
  }

  /** RabbitMQ shows records only by handing them out, which counts as a delivery. */
  async inspect(): Promise<readonly RecordSummary[]> {
    return [];
  }

  async stats(): Promise<QueueStats> {
    this.#assertOpen();
    const { session, channel, places } = this.parts;
    const [queue, dead] = await Promise.all([
      session.run(() => channel.checkQueue(places.queue)),
      session.run(() => channel.checkQueue(places.dead)),
    ]);
    const { full, purged, ...totals } = this.#totals;
    return {
      waiting: queue.messageCount + this.#held.all('free').length,
      leased: this.#held.all('leased').length,
      delayed: this.#held.all('delayed').length,
      dead: dead.messageCount,
      bytes: this.#held.all().reduce((sum, { entry }) => sum + entry.body.byteLength, 0),
      oldestMs: 0,
      totals: { ...totals, dropped: { full, old: 0, purged }, duplicates: 0 },
    };
  }

  async replay(filter: DeadFilter): Promise<number> {
    this.#assertOpen();
    if (filter.numbers) {
      const sentence = 'Dead letters on RabbitMQ have no numbers. Choose them by id, code, node or time.';
      throw new Failure('rejected', 'BAD_MESSAGE', sentence, { reached: false });
    }
    if (filter.queue !== undefined && filter.queue !== this.name) return 0;
    const { session, publisher, places } = this.parts;
    const brought = await replay(session, publisher, places, filter);
    this.#totals.replayed += brought;
    this.#totals.put += brought;
    if (brought > 0) this.#listeners.ready();
    return brought;
  }

  async purge(): Promise<number> {
    this.#assertOpen();
    const { session, channel, places } = this.parts;
    const free = this.#held.all('free');
    for (const one of free) {
      this.#held.drop(one);
      channel.ack(one.message);
    }
    const { messageCount } = await session.run(() => channel.purgeQueue(places.queue));
    const count = messageCount + free.length;
    this.#totals.purged += count;
    return count;
  }

  listen(listener: QueueListener): () => void {
    return this.#listeners.add(listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { session, channel } = this.parts;
    await this.#leasing;
    this.#forgetTrouble();
    this.#listeners.clear();
    const held = this.#held.clear();
    if (session.ended) return;
    try {
      for (const { message } of held) channel.nack(message, false, true);
      await this.#proof.taken();
      await session.run(() => channel.close());
    } catch {
      // The connection ended meanwhile: the broker gives the records back itself.
    }
  }

  async #lease({ max, perKey, visibilityMs }: LeaseOptions): Promise<readonly Leased[]> {
    const { ordered } = this.parts.options;
    const free = this.#held.all('free');
    if (ordered && this.#held.size > free.length) return [];
    const most = ordered ? Math.min(max, perKey) : max;
    const leased = free.slice(0, most);
    let bytes = 0;
    while (leased.length < most && bytes < LEASE_BYTES) {
      const next = await this.#get();
      if (!next) break;
      bytes += next.entry.body.byteLength;
      leased.push(next);
    }
    for (const one of leased) this.#held.keep(one, 'leased', visibilityMs);
    return leased.map(({ entry, token, delivery, history }) => ({ entry, token, delivery, history }));
  }

  async #get(): Promise<Holding | undefined> {
    const { session, channel, places } = this.parts;
    try {
      const message = await session.run(() => channel.get(places.queue));
      if (message === false) return undefined;
      const read = readMessage(message);
      return this.#held.add(message, {
        ...read,
        history: this.#memory.join(read.entry.id, read.history),
      });
    } catch (error) {
      throw classifyRabbit(error);
    }
  }

  /** The dead letter is confirmed before the record is ended; a crash in between leaves both, with the same id. */
  async #bury(holding: Holding, attempt: Attempt): Promise<boolean> {
    const { publisher, places, options } = this.parts;
    const { entry, history } = holding;
    try {
      const properties = deadProperties(holding, history, attempt, options.owner);
      if (!(await publisher.send(places.dead, entry.body, properties))) throw this.#refused();
    } catch (error) {
      this.#requeue(holding);
      throw error;
    }
    await this.#settle(holding);
    this.#totals.died += 1;
    this.#listeners.died(1);
    this.#listeners.ready();
    return true;
  }

  async #settle(holding: Holding): Promise<void> {
    this.#memory.forget(holding.entry.id);
    try {
      this.parts.channel.ack(holding.message);
      await this.#proof.taken();
    } catch (error) {
      throw this.parts.session.ended ?? classifyRabbit(error);
    }
  }

  /** Back to its place in the broker's queue, which counts the delivery and buries it after the last. */
  #requeue(holding: Holding): void {
    if (this.#closed || this.parts.session.ended) return;
    this.parts.channel.nack(holding.message, false, true);
    if (this.#isLast(holding)) {
      this.#totals.died += 1;
      this.#listeners.died(1);
    }
    this.#listeners.ready();
  }

  #isLast({ delivery }: Holding): boolean {
    const { maxDeliveries } = this.parts.options;
    return maxDeliveries > 0 && delivery >= maxDeliveries;
  }

  #take(token: string): Holding | undefined {
    this.#assertOpen();
    return this.#held.take(token);
  }

  #exhausted(): Attempt {
    const message = 'The message was delivered as often as its queue allows, without being acknowledged.';
    return { at: this.parts.session.clock.now(), kind: 'rejected', code: 'DELIVERIES_EXHAUSTED', message };
  }

  #refused(): Failure {
    const { maxRecords, maxBytes } = this.parts.options;
    const limited = maxRecords > 0 || maxBytes > 0;
    const [code, why] = limited
      ? ['QUEUE_FULL', 'its limits leave no room for it']
      : ['QUEUE_UNAVAILABLE', 'RabbitMQ refused the message; check the members of the quorum queue'];
    return new Failure('throttled', code, `The queue "${this.name}" did not store the message: ${why}.`, {
      reached: false,
      details: { queue: this.name },
    });
  }

  #assertOpen(): void {
    const { ended } = this.parts.session;
    if (ended) throw ended;
    if (this.#closed) {
      throw new Failure('disconnected', 'NOT_CONNECTED', `The queue "${this.name}" is closed.`, {
        reached: false,
      });
    }
  }
}
