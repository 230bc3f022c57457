/**
 * The default store: all queues of a runtime in one SQLite file, owned by a thread of its own. See
 * docs/decisions/0008-durable-queue.md.
 */
import type { Capabilities, KeyMemory, KeyMemoryOptions, Queue, QueueOptions, QueueStore } from '../types';
import { Courier, type FileStoreOptions } from './courier';
import { FileDeadLetters } from './dead';
import { FileKeys } from './keys';
import { checkName } from './names';
import { FileQueue } from './queue';

export type { FileStoreOptions };

const CAPABILITIES: Capabilities = {
  durable: true,
  shared: false,
  keys: true,
  extend: true,
  duplicates: true,
  inspect: true,
  delay: true,
};

class FileStore implements QueueStore {
  readonly capabilities = CAPABILITIES;
  readonly dead: FileDeadLetters;
  readonly #courier: Courier;
  readonly #queues = new Set<FileQueue>();
  readonly #keys = new Map<string, FileKeys>();
  #handles = 0;
  #closed: Promise<void> | undefined;

  constructor(options: FileStoreOptions) {
    this.#courier = new Courier(options, {
      tidings: (tidings) => {
        for (const one of tidings)
          for (const queue of this.#queues) if (queue.id === one.queue) queue.tell(one);
      },
      letters: (letters) => this.dead.tell(letters),
      trouble: (sentence) => {
        for (const queue of this.#queues) queue.trouble(sentence);
      },
      restarted: () => this.#reopen(),
    });
    this.dead = new FileDeadLetters(this.#courier);
  }

  start(): Promise<void> {
    return this.#courier.start();
  }

  async open(name: string, options: QueueOptions): Promise<Queue> {
    checkName(name);
    this.#handles += 1;
    const queue = new FileQueue(this.#courier, name, options, this.#handles, (gone) =>
      this.#queues.delete(gone),
    );
    await this.#openOne(queue);
    this.#queues.add(queue);
    return queue;
  }

  async keys(name: string, options: KeyMemoryOptions): Promise<KeyMemory> {
    checkName(name);
    const keys = new FileKeys(this.#courier, name, options);
    await keys.open();
    this.#keys.set(name, keys);
    return keys;
  }

  async names(): Promise<readonly string[]> {
    return this.#courier.ask('names', null);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#queues].map((queue) => queue.close()));
    await this.#courier.close();
  }

  async #openOne(queue: FileQueue): Promise<void> {
    const { name, handle, options } = queue;
    queue.opened(await this.#courier.ask('open', { name, handle, options }));
  }

  async #reopen(): Promise<void> {
    await Promise.all([
      ...[...this.#queues].map((queue) => this.#openOne(queue)),
      ...[...this.#keys.values()].map((keys) => keys.open()),
    ]);
  }
}

/** Opens the file, or makes it. Rejects with a Failure: QUEUE_LOCKED, QUEUE_UNAVAILABLE or MISSING_LIBRARY. */
export async function openFileStore(options: FileStoreOptions): Promise<QueueStore> {
  const store = new FileStore(options);
  await store.start();
  return store;
}
