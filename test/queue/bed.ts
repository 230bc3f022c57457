/** What the contract suite and the model test of queue stores share. */
import assert from 'node:assert/strict';
import type { Clock } from '../../lib/core';
import type { Attempt, Entry, Leased, Queue, QueueOptions, QueueStore } from '../../lib/queue';
import { VirtualClock } from '../helpers/virtual-clock';

/** One store under test, with whatever it keeps its records in. */
export interface StoreBed {
  /** Opens it for the first time. */
  open(): Promise<QueueStore>;
  /** Closes it and opens it anew on the same records. Absent where nothing survives. */
  reopen?(): Promise<QueueStore>;
  readonly clock: Clock;
  /** True: `clock` is a VirtualClock, and time passes only when told. Else durations are short and waited for. */
  readonly virtualTime: boolean;
  /** Ends everything and removes what it kept, also when a test failed in between. */
  destroy(): Promise<void>;
  /** Bytes of the largest body that it must carry; 5,000,000 unless said otherwise. */
  readonly largestBody?: number;
  /**
   * The broker keeps no totals and no attempts of records that came back: totals are what each handle did itself, and
   * attempts end with the process. That nothing is lost is then counted by `conserved`, from outside.
   */
  readonly totalsOfHandle?: boolean;
  /** Asserts that what went in is there or has left, where the totals do not tell. */
  conserved?(): Promise<void>;
  /** What `bytes` tells: the bodies (unless said otherwise), all that the broker stores, or what this handle holds. */
  readonly bytes?: 'stored' | 'held';
  /**
   * The limits are the broker's: leased records do not count, one record may exceed the bytes, a full queue takes
   * records again only when it is much less full, and what makes room or grows old becomes a dead letter without being
   * counted.
   */
  readonly limitsOfBroker?: boolean;
  /** Settings that the store refuses to open a queue with, by a `config` Failure. */
  readonly refuses?: ReadonlySet<'dropOldest' | 'dropNewest' | 'age' | 'dropOld' | 'maxBytes'>;
}

export const OWNER = { node: 'n1', name: 'buffer', type: 'holdfast-queue', flow: 'Plant' };
export const OPTIONS: QueueOptions = {
  owner: OWNER,
  ordered: false,
  maxRecords: 0,
  maxBytes: 0,
  maxAgeMs: 0,
  whenFull: 'reject',
  whenOld: 'deadLetter',
  maxDeliveries: 0,
  duplicateWindowMs: 0,
};
export const LEASE = { max: 100, perKey: 100, visibilityMs: 60_000 };

export const entry = (id: string, key = '', body = `body of ${id}`): Entry => ({
  id,
  key,
  time: 1_767_225_600_000,
  body: Buffer.from(body),
});

export const attempt = (message = 'The pump is off.', code = 'PEER_ERROR'): Attempt => ({
  at: 1_767_225_600_123,
  kind: 'transient',
  code,
  message,
});

export const ids = (leased: readonly Leased[]): string[] => leased.map((one) => one.entry.id);

/** Long for a duration that real time must pass, and nothing for a virtual one. */
export const SHORT_MS = 400;
const LIMIT_MS = 15_000;

/** Asks until it holds; throws what it threw last when it never does. */
export async function eventually<T>(ask: () => Promise<T> | T): Promise<T> {
  for (const end = performance.now() + LIMIT_MS; ;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Opened {
  readonly options: QueueOptions;
  /** The last handle. */
  queue: Queue;
}

/** One test's store and the queues that it opened. */
export class Bench {
  readonly bed: StoreBed;
  store: QueueStore;
  readonly #open = new Map<string, Opened>();
  #names = 0;
  #isClosed = false;

  constructor(bed: StoreBed, store: QueueStore) {
    this.bed = bed;
    this.store = store;
  }

  /** A new queue. */
  async queue(options: Partial<QueueOptions> = {}, name = this.name()): Promise<Queue> {
    const all = { ...OPTIONS, ...options };
    const queue = await this.store.open(name, all);
    this.#open.set(name, { options: all, queue });
    return queue;
  }

  name(): string {
    return `q${(this.#names += 1)}`;
  }

  /** Another handle of a queue, also after a restart. */
  async again(queue: Queue): Promise<Queue> {
    const opened = this.#open.get(queue.name);
    assert.ok(opened, queue.name);
    opened.queue = await this.store.open(queue.name, opened.options);
    return opened.queue;
  }

  async reopen(): Promise<void> {
    assert.ok(this.bed.reopen, 'a durable store needs reopen');
    this.store = await this.bed.reopen();
  }

  /** The test closed the store itself. */
  closed(): void {
    this.#isClosed = true;
  }

  /** Lets time pass where it is virtual; real time passes by itself. */
  async pass(ms: number): Promise<void> {
    if (this.bed.clock instanceof VirtualClock) await this.bed.clock.advance(ms);
  }

  /** Holds in every state of every queue: what was put is somewhere. */
  async conserved(): Promise<void> {
    if (this.#isClosed) return;
    if (this.bed.conserved) return this.bed.conserved();
    for (const { queue } of this.#open.values()) await eventually(() => conserved(queue));
  }
}

export async function conserved(queue: Queue): Promise<void> {
  const { waiting, leased, delayed, totals } = await queue.stats();
  const { put, acknowledged, died, dropped } = totals;
  const ended = acknowledged + died + dropped.full + dropped.old + dropped.purged;
  assert.equal(
    put,
    ended + waiting + leased + delayed,
    `${queue.name}: ${JSON.stringify(await queue.stats())}`,
  );
}

/** The next lease holds these records, in this order; waits for those that come in a while. */
export async function leased(
  queue: Queue,
  expected: readonly string[],
  options = LEASE,
): Promise<readonly Leased[]> {
  const found: Leased[] = [];
  await eventually(async () => {
    const max = expected.length - found.length;
    if (max > 0) found.push(...(await queue.lease({ ...options, max: Math.min(max, options.max) })));
    assert.deepEqual(ids(found), expected);
  });
  return found;
}

/** The one record of the next lease. */
export async function one(queue: Queue, options = LEASE): Promise<Leased> {
  return eventually(async () => {
    const [found] = await queue.lease({ ...options, max: 1 });
    assert.ok(found, 'nothing was leased');
    return found;
  });
}

export async function fill(queue: Queue, names: readonly string[], key = ''): Promise<void> {
  for (const name of names) assert.equal(await queue.put(entry(name, key)), 'stored');
}
