import type { QueueStore } from './types';

/** A use of the shared store. `release` may be called more than once; it ends when the store has closed, if it was the last. */
export interface LocalUse {
  readonly store: QueueStore;
  release(): Promise<void>;
}

/** One store of a process, open while somebody uses it. */
export interface LocalQueues {
  /** Rejects with the Failure of `open`; the next call tries anew. */
  use(): Promise<LocalUse>;
}

/** One opening of the store and those who share it. */
interface Opening {
  readonly store: Promise<QueueStore>;
  users: number;
}

/**
 * Shares one store: opened with its first user, closed with its last. An opening waits for the closing before it,
 * because the file of the store has one owner at a time.
 */
export function localQueues(open: () => Promise<QueueStore>): LocalQueues {
  let current: Opening | undefined;
  let closed: Promise<void> = Promise.resolve();

  async function leave(opening: Opening, store: QueueStore): Promise<void> {
    opening.users -= 1;
    if (opening.users > 0) return;
    current = undefined;
    // A close does not throw; if it does all the same, it must not keep the store from being opened again.
    closed = store.close().catch(() => {});
    await closed;
  }

  return {
    async use(): Promise<LocalUse> {
      const opening = (current ??= { store: closed.then(open), users: 0 });
      opening.users += 1;
      let store: QueueStore;
      try {
        store = await opening.store;
      } catch (error) {
        if (current === opening) current = undefined;
        throw error;
      }
      let left: Promise<void> | undefined;
      return { store, release: () => (left ??= leave(opening, store)) };
    },
  };
}
