/** The keys that were seen, in the local file or in this process. Opened with the first message. */
import { Failure, type Clock } from '../../lib/core';
import type { KeyMemory, KeyMemoryOptions, LocalQueues, QueueStore } from '../../lib/queue';

interface Opened {
  readonly keys: KeyMemory;
  close(): Promise<void>;
}

export class Memory {
  readonly #open: () => Promise<Opened>;
  #opened: Promise<Opened> | undefined;

  constructor(open: () => Promise<Opened>) {
    this.#open = open;
  }

  /** An opening that failed is tried anew with the next message. */
  async keys(): Promise<KeyMemory> {
    const opening = (this.#opened ??= this.#open());
    try {
      return (await opening).keys;
    } catch (error) {
      if (this.#opened === opening) this.#opened = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    const opening = this.#opened;
    this.#opened = undefined;
    const opened = await opening?.catch(() => undefined);
    await opened?.close();
  }
}

export async function openDurable(
  queues: LocalQueues,
  name: string,
  options: KeyMemoryOptions,
): Promise<Opened> {
  const { store, release } = await queues.use();
  try {
    return { keys: await keysOf(store, name, options), close: release };
  } catch (error) {
    await release();
    throw error;
  }
}

export async function openVolatile(clock: Clock, name: string, options: KeyMemoryOptions): Promise<Opened> {
  const { openMemoryStore } =
    require('../../lib/queue/memory/store') as typeof import('../../lib/queue/memory/store');
  const store = openMemoryStore({ clock });
  return { keys: await keysOf(store, name, options), close: () => store.close() };
}

function keysOf(store: QueueStore, name: string, options: KeyMemoryOptions): Promise<KeyMemory> {
  if (store.keys) return store.keys(name, options);
  const sentence = 'The store remembers no keys. Choose another place under "Remember".';
  throw new Failure('config', 'BAD_CONFIG', sentence, { reached: false });
}
