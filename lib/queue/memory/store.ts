/** Queues in memory: for tests, and for flows that choose to lose them with the process. */
import { Failure, type Clock } from '../../core';
import type {
  Attempt,
  Capabilities,
  Entry,
  KeyMemory,
  KeyMemoryOptions,
  LeaseOptions,
  Leased,
  PutResult,
  Queue,
  QueueListener,
  QueueOptions,
  QueueStats,
  QueueStore,
  RecordSummary,
} from '../types';
import { MemoryDeadLetters } from './dead';
import { MemoryKeys } from './keys';
import type { Held } from './lines';
import { Shelf } from './shelf';

const CAPABILITIES: Capabilities = {
  durable: false,
  shared: false,
  keys: true,
  extend: true,
  duplicates: true,
  inspect: true,
  delay: true,
};
const NAME = /^[\w./-]{1,100}$/;

export function openMemoryStore(options: { readonly clock: Clock }): QueueStore {
  return new MemoryStore(options.clock);
}

class MemoryStore implements QueueStore {
  readonly capabilities = CAPABILITIES;
  readonly dead: MemoryDeadLetters;
  readonly #clock: Clock;
  readonly #shelves = new Map<string, Shelf>();
  readonly #keys = new Map<string, MemoryKeys>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.dead = new MemoryDeadLetters(clock, (queue, entry) => {
      const shelf = this.#shelf(queue);
      shelf.totals.replayed += 1;
      shelf.add(entry);
    });
  }

  async open(name: string, options: QueueOptions): Promise<Queue> {
    if (this.#closed) throw closed(name);
    checkName(name);
    const shelf = this.#shelf(name);
    shelf.open(options);
    return Promise.resolve(new MemoryQueue(shelf, this.dead));
  }

  async keys(name: string, options: KeyMemoryOptions): Promise<KeyMemory> {
    if (this.#closed) throw closed(name);
    checkName(name);
    let keys = this.#keys.get(name);
    if (!keys) this.#keys.set(name, (keys = new MemoryKeys(this.#clock, options)));
    return Promise.resolve(keys);
  }

  names(): Promise<readonly string[]> {
    return Promise.resolve([...this.#shelves.keys()].sort());
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const shelf of this.#shelves.values()) shelf.close();
    return Promise.resolve();
  }

  #shelf(name: string): Shelf {
    let shelf = this.#shelves.get(name);
    if (!shelf) this.#shelves.set(name, (shelf = new Shelf(name, this.#clock, this.dead)));
    return shelf;
  }
}

/** One opening of a queue. */
class MemoryQueue implements Queue {
  readonly name: string;
  readonly #shelf: Shelf;
  readonly #dead: MemoryDeadLetters;
  readonly #mine = new Set<Held>();
  readonly #listeners = new Set<QueueListener>();
  #closed = false;

  constructor(shelf: Shelf, dead: MemoryDeadLetters) {
    this.name = shelf.name;
    this.#shelf = shelf;
    this.#dead = dead;
  }

  put(entry: Entry): Promise<PutResult> {
    return this.#do(() => this.#shelf.put({ ...entry, body: entry.body.slice() }));
  }

  lease({ max, perKey, visibilityMs }: LeaseOptions): Promise<readonly Leased[]> {
    return this.#do(() =>
      this.#shelf.lease(max, perKey, visibilityMs).map((held): Leased => {
        this.#mine.add(held);
        const { entry, delivery, history } = held;
        const { id, key, time, body } = entry;
        return { entry: { id, key, time, body }, token: `${held.position}.${held.lease}`, delivery, history };
      }),
    );
  }

  acknowledge(token: string): Promise<boolean> {
    return this.#settle(token, (held) => this.#shelf.acknowledge(held));
  }

  reject(token: string, attempt: Attempt | undefined, delayMs: number): Promise<boolean> {
    return this.#settle(token, (held) => this.#shelf.reject(held, attempt, delayMs));
  }

  release(token: string): Promise<boolean> {
    return this.#settle(token, (held) => this.#shelf.release(held));
  }

  extend(token: string, visibilityMs: number): Promise<boolean> {
    return this.#do(() => {
      const held = this.#held(token);
      if (held) this.#shelf.extend(held, visibilityMs);
      return held !== undefined;
    });
  }

  deadLetter(token: string, attempt: Attempt): Promise<boolean> {
    return this.#settle(token, (held) => this.#shelf.die(held, attempt));
  }

  inspect({ after, limit }: { after: number; limit: number }): Promise<readonly RecordSummary[]> {
    return this.#do(() => {
      const found: RecordSummary[] = [];
      for (const { position, entry, delivery, state } of this.#shelf.records.values()) {
        if (found.length >= limit) break;
        if (position <= after || state === 'gone') continue;
        const { id, key, time, body } = entry;
        found.push({ position, id, key, time, bytes: body.length, delivery, state });
      }
      return found;
    });
  }

  stats(): Promise<QueueStats> {
    return this.#do(() => this.#shelf.stats());
  }

  async replay(filter: object): Promise<number> {
    return this.#dead.replay({ ...filter, queue: this.name });
  }

  purge(): Promise<number> {
    return this.#do(() => this.#shelf.purge());
  }

  listen(listener: QueueListener): () => void {
    this.#shelf.listeners.add(listener);
    this.#listeners.add(listener);
    return () => {
      this.#shelf.listeners.delete(listener);
      this.#listeners.delete(listener);
    };
  }

  close(): Promise<void> {
    if (!this.#closed) {
      for (const listener of this.#listeners) this.#shelf.listeners.delete(listener);
      for (const held of this.#mine) if (held.state === 'leased') this.#shelf.release(held);
    }
    this.#closed = true;
    return Promise.resolve();
  }

  #settle(token: string, act: (held: Held) => void): Promise<boolean> {
    return this.#do(() => {
      const held = this.#held(token);
      if (!held) return false;
      this.#mine.delete(held);
      act(held);
      return true;
    });
  }

  #held(token: string): Held | undefined {
    const [position, lease] = token.split('.').map(Number);
    return this.#shelf.held(position ?? 0, lease ?? 0);
  }

  #do<T>(act: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closed(this.name));
    try {
      return Promise.resolve(act());
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function closed(name: string): Failure {
  return new Failure('transient', 'QUEUE_UNAVAILABLE', `The queue "${name}" has been closed.`, {
    reached: false,
  });
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  const sentence = `"${name.slice(0, 100)}" cannot be the name of a queue: 1 to 100 letters, digits, ".", "_", "-" or "/".`;
  throw new Failure('config', 'BAD_CONFIG', sentence, { reached: false });
}
