/** One queue: a work-queue stream and its pull consumer. */
import { randomBytes } from 'node:crypto';
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
import type { Bed } from './bed';
import type { NatsDeadLetters } from './dead';
import { watchExhausted } from './exhausted';
import { HeldTable } from './held';
import { Hints } from './hints';
import { Leasing } from './leasing';
import { queueNames, token } from './names';
import { Notes } from './notes';
import { Putting } from './putting';
import { purgeFree } from './room';
import { ServerTime } from './server-time';
import { inspect, queueStats } from './shelf';
import { ensureQueue } from './stream';
import { Sweep } from './sweep';
import { Tally } from './tally';

export class NatsQueue implements Queue {
  readonly #putting: Putting;
  readonly #leasing: Leasing;
  readonly #sweep: Sweep;
  readonly #stopExhausted: () => void;
  readonly #forgetSession: () => void;
  #closed = false;

  private constructor(
    readonly bed: Bed,
    readonly dead: NatsDeadLetters,
  ) {
    this.#putting = new Putting(bed);
    this.#leasing = new Leasing(bed);
    this.#sweep = new Sweep(bed, this.#leasing);
    this.#stopExhausted = watchExhausted(bed);
    this.#forgetSession = bed.session.over.onAbort(() => {
      bed.held.clear();
      this.#sweep.close();
    });
  }

  static async open(dead: NatsDeadLetters, name: string, options: QueueOptions): Promise<NatsQueue> {
    const { session } = dead.graves;
    const names = queueNames(session.places.prefix, name);
    const notes = new Notes(session);
    if (await ensureQueue(session, name, names, options)) await notes.drop(names, '*');
    const hints = new Hints(session, names.hint, randomBytes(9).toString('base64url'));
    const bed: Bed = {
      session,
      name,
      names,
      options,
      notes,
      hints,
      tally: new Tally(session, dead.bucket, token(name)),
      graves: dead.graves,
      held: new HeldTable(session, () => hints.ready()),
      returned: new Map(),
      time: new ServerTime(session, dead.graves.stream),
    };
    return new NatsQueue(bed, dead);
  }

  get name(): string {
    return this.bed.name;
  }

  async put(entry: Entry): Promise<PutResult> {
    this.#checkOpen();
    return this.#putting.put(entry);
  }

  async lease(options: LeaseOptions): Promise<readonly Leased[]> {
    this.#checkOpen();
    return this.#leasing.lease(options);
  }

  async acknowledge(token: string): Promise<boolean> {
    this.#checkOpen();
    return this.#leasing.acknowledge(token);
  }

  async reject(token: string, attempt: Attempt | undefined, delayMs: number): Promise<boolean> {
    this.#checkOpen();
    return this.#leasing.reject(token, attempt, delayMs);
  }

  async release(token: string): Promise<boolean> {
    this.#checkOpen();
    return this.#leasing.release(token);
  }

  async extend(token: string, visibilityMs: number): Promise<boolean> {
    this.#checkOpen();
    return this.bed.held.extend(token, visibilityMs);
  }

  async deadLetter(token: string, attempt: Attempt): Promise<boolean> {
    this.#checkOpen();
    return this.#leasing.deadLetter(token, attempt);
  }

  async inspect(page: { readonly after: number; readonly limit: number }): Promise<readonly RecordSummary[]> {
    this.#checkOpen();
    return inspect(this.bed, page);
  }

  async stats(): Promise<QueueStats> {
    this.#checkOpen();
    return queueStats(this.bed, (queue) => this.dead.count(queue));
  }

  async replay(filter: DeadFilter): Promise<number> {
    this.#checkOpen();
    return this.dead.replay({ ...filter, queue: this.name });
  }

  async purge(): Promise<number> {
    this.#checkOpen();
    const purged = await purgeFree(this.bed);
    if (purged > 0) await this.bed.tally.add({ purged });
    return purged;
  }

  listen(listener: QueueListener): () => void {
    return this.bed.hints.listen(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#sweep.close();
    this.#stopExhausted();
    await this.#leasing.releaseAll();
    this.#forgetSession();
    this.bed.held.clear();
    this.bed.hints.close();
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new Failure('transient', 'QUEUE_UNAVAILABLE', `The queue "${this.name}" is closed.`, {
      reached: false,
    });
  }
}
