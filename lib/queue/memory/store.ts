/** Queues that live as long as their store: for tests, and for flows that choose it. */
import type { Clock } from '../../core';
import type { Capabilities, KeyMemory, KeyMemoryOptions, Queue, QueueOptions, QueueStore } from '../types';
import { checkKey, checkName, closed } from './check';
import { MemoryDeadLetters } from './dead';
import { MemoryQueue } from './queue';
import { Seen } from './seen';
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

class MemoryStore implements QueueStore {
  readonly capabilities = CAPABILITIES;
  readonly dead: MemoryDeadLetters;
  readonly #clock: Clock;
  readonly #shelves = new Map<string, Shelf>();
  readonly #keys = new Map<string, Seen>();
  readonly #queues = new Set<MemoryQueue>();
  #handles = 0;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.dead = new MemoryDeadLetters(clock, (queue, entry, history) => {
      const shelf = this.#shelf(queue);
      shelf.append(entry, history);
      shelf.countReplayed();
    });
  }

  async open(name: string, options: QueueOptions): Promise<Queue> {
    this.#check();
    checkName(name);
    const shelf = this.#shelf(name);
    shelf.configure(options);
    this.#handles += 1;
    const queue = new MemoryQueue(shelf, this.dead, this.#handles);
    this.#queues.add(queue);
    return queue;
  }

  async keys(name: string, { windowMs, maxKeys }: KeyMemoryOptions): Promise<KeyMemory> {
    this.#check();
    checkName(name);
    const seen = this.#keys.get(name) ?? new Seen(windowMs, maxKeys);
    Object.assign(seen, { windowMs, maxKeys });
    this.#keys.set(name, seen);
    return this.#memory(seen);
  }

  async names(): Promise<readonly string[]> {
    this.#check();
    return [...this.#shelves.keys()].sort();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const queue of this.#queues) await queue.close();
    for (const shelf of this.#shelves.values()) shelf.stop();
    this.dead.stop();
    this.#queues.clear();
    this.#shelves.clear();
    this.#keys.clear();
  }

  #check(): void {
    if (this.#isClosed) throw closed('The store');
  }

  #shelf(name: string): Shelf {
    let shelf = this.#shelves.get(name);
    if (!shelf) this.#shelves.set(name, (shelf = new Shelf(name, this.#clock, this.dead)));
    return shelf;
  }

  #memory(seen: Seen): KeyMemory {
    const now = (): number => {
      this.#check();
      return this.#clock.mono();
    };
    return {
      claim: async (key) => {
        const at = now();
        checkKey(key);
        if (seen.has(key, at)) return false;
        seen.add(key, at);
        return true;
      },
      forget: async (key) => {
        now();
        seen.forget(key);
      },
      clear: async () => {
        now();
        seen.clear();
      },
      size: async () => seen.size(now()),
    };
  }
}

/** Nothing of it survives its closing. */
export function openMemoryStore({ clock }: { readonly clock: Clock }): QueueStore {
  return new MemoryStore(clock);
}
