/** The queue of one node in the local store: opened when it can be, counted, and reported to the meter. */
import { Failure, toFailure, type Clock, type Log, type Timer } from '../../core';
import type { LocalQueues, LocalUse } from '../../queue/local';
import type {
  Attempt,
  DeadLetters,
  Entry,
  PutResult,
  Queue,
  QueueOptions,
  QueueStats,
  Source,
} from '../../queue/types';
import type { Meter } from '../../observe/meter';

export interface BacklogDeps {
  readonly queues: LocalQueues;
  readonly name: string;
  readonly options: QueueOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** The queue is open, with or without records. */
  readonly opened: (queue: Queue) => void;
  readonly ready: () => void;
  readonly changed: () => void;
  /** The store is in trouble, or works again (undefined). */
  readonly trouble: (sentence: string | undefined) => void;
}

/** A store that cannot be opened is tried again this often. */
const REOPEN_MS = 5000;
/** While there is something in the store, what others do to it (replays, purges) shows after so long. */
const RECOUNT_MS = 1000;

export class Backlog {
  readonly #deps: BacklogDeps;
  #use: LocalUse | undefined;
  #queue: Queue | undefined;
  #opening: Promise<void>;
  #timer: Timer | undefined;
  #refused: Failure | undefined;
  #watch: Timer | undefined;
  #size = 0;
  /** What others had done to the queue when it was last looked at. */
  #seen = { replayed: 0, purged: 0 };
  #closed = false;
  #quiet: () => void = () => {};

  constructor(deps: BacklogDeps) {
    this.#deps = deps;
    this.#opening = this.#open();
  }

  /** Records in the store, those under way to it included. */
  get size(): number {
    return Math.max(0, this.#size);
  }

  get queue(): Queue | undefined {
    return this.#queue;
  }

  /** False until it is known what the store holds, or that it cannot be opened. */
  get isKnown(): boolean {
    return this.#queue !== undefined || this.#refused !== undefined;
  }

  /** Resolves once the queue is open or was refused. */
  opened(): Promise<void> {
    return this.#opening;
  }

  /** Counted at once, so that whatever arrives in the meantime queues behind it. */
  async put(entry: Entry): Promise<PutResult> {
    this.#count(1);
    try {
      if (!this.#queue) await this.#opening;
      const result = await this.#usable().put(entry);
      // The store tells what it drops, and that is where it is counted.
      if (result === 'duplicate') this.#count(-1);
      return result;
    } catch (error) {
      this.#count(-1);
      throw toFailure(error);
    }
  }

  /** A message that fails without having been in the store. */
  async bury(entry: Entry, history: readonly Attempt[], owner: Source): Promise<void> {
    if (!this.#queue) await this.#opening;
    await this.#letters().add(this.#deps.name, entry, owner, history, Math.max(1, history.length));
  }

  /** A record left the store. */
  left(): void {
    this.#count(-1);
  }

  /** Counts what others did to the queue meanwhile. Never rejects. */
  async recount(): Promise<void> {
    let totals;
    try {
      ({ totals } = await this.#usable().stats());
    } catch (error) {
      this.#deps.log.debug(`The local store: ${toFailure(error).message}`);
      return;
    }
    const { replayed, dropped } = totals;
    const back = replayed - this.#seen.replayed;
    const purged = dropped.purged - this.#seen.purged;
    // A repaired file may have lost its sums; they count anew from there.
    this.#seen = { replayed, purged: dropped.purged };
    if (back > 0) this.#found(back);
    if (purged > 0) {
      this.#deps.meter.dropped('purged', purged);
      this.#deps.meter.queued(-purged);
      this.#count(-purged);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#watch?.cancel();
    await this.#opening;
    this.#quiet();
    await this.#queue?.close();
    await this.#use?.release();
  }

  async #open(): Promise<void> {
    const { queues, name, options } = this.#deps;
    try {
      this.#use ??= await queues.use();
      const queue = await this.#use.store.open(name, options);
      const { waiting, leased, delayed, totals } = await this.#statsOf(queue);
      this.#seen = { replayed: totals.replayed, purged: totals.dropped.purged };
      if (this.#refused) this.#deps.trouble(undefined);
      this.#refused = undefined;
      this.#queue = queue;
      this.#quiet = queue.listen({
        ready: () => {
          this.#deps.ready();
          this.#look();
        },
        dropped: (count, reason) => this.#dropped(count, reason),
        died: (count) => this.#died(count),
        trouble: (sentence) => this.#deps.trouble(sentence),
      });
      this.#found(waiting + leased + delayed);
      this.#look();
      if (!this.#closed) this.#deps.opened(queue);
    } catch (error) {
      this.#troubled(toFailure(error));
    }
  }

  async #statsOf(queue: Queue): Promise<QueueStats> {
    try {
      return await queue.stats();
    } catch (error) {
      await queue.close();
      throw error;
    }
  }

  #look(): void {
    if (this.#closed || this.#watch) return;
    this.#watch = this.#deps.clock.timer(RECOUNT_MS, () => {
      this.#watch = undefined;
      void this.recount().then(() => {
        if (this.#size > 0) this.#look();
      });
    });
  }

  #troubled(failure: Failure): void {
    if (this.#refused?.code !== failure.code) this.#deps.log.warn(failure.message);
    this.#refused = failure;
    this.#deps.trouble(failure.message);
    if (this.#closed) return;
    this.#timer = this.#deps.clock.timer(REOPEN_MS, () => {
      this.#opening = this.#open();
    });
  }

  #found(count: number): void {
    this.#deps.meter.in(count);
    this.#deps.meter.queued(count);
    this.#count(count);
  }

  #dropped(count: number, reason: 'full' | 'old'): void {
    this.#deps.meter.dropped(reason, count);
    this.#deps.meter.queued(-count);
    this.#count(-count);
  }

  /** The store's own doing: too old, or delivered too often. */
  #died(count: number): void {
    this.#deps.meter.dead(count);
    this.#deps.meter.queued(-count);
    this.#count(-count);
  }

  #usable(): Queue {
    if (this.#queue) return this.#queue;
    throw (
      this.#refused ??
      new Failure('transient', 'QUEUE_UNAVAILABLE', 'The local store is not open yet.', { reached: false })
    );
  }

  #letters(): DeadLetters {
    this.#usable();
    const dead = this.#use?.store.dead;
    if (dead) return dead;
    throw new Failure('config', 'QUEUE_UNAVAILABLE', 'The local store keeps no dead letters.', {
      reached: false,
    });
  }

  #count(change: number): void {
    this.#size += change;
    this.#deps.changed();
  }
}
