/** A local store that refuses while it is told to, as a full disk does: for the tests of store and forward. */
import { Failure } from '../../core';
import type { LocalQueues } from '../../queue/local';
import type { Queue, QueueStore } from '../../queue/types';

export interface Trouble {
  /** Everything that would write fails. */
  broken: boolean;
  /** The store cannot even be opened. */
  shut?: boolean;
}

const noSpace = () => new Failure('transient', 'QUEUE_UNAVAILABLE', 'The disk is full.', { reached: false });
const WRITES: ReadonlySet<string | symbol> = new Set([
  'put',
  'acknowledge',
  'reject',
  'release',
  'deadLetter',
]);

export function trouble(queues: LocalQueues, is: Trouble): LocalQueues {
  return {
    use: async () => {
      if (is.shut) throw noSpace();
      const use = await queues.use();
      const store = replaced(use.store, {
        open: async (...about: Parameters<QueueStore['open']>) =>
          troubled(await use.store.open(...about), is),
      });
      return { store, release: () => use.release() };
    },
  };
}

function troubled(queue: Queue, is: Trouble): Queue {
  const writes = [...WRITES].map((name) => {
    const act = Reflect.get(queue, name) as (...about: unknown[]) => Promise<unknown>;
    const fn = (...about: unknown[]): Promise<unknown> =>
      is.broken ? Promise.reject(noSpace()) : act.apply(queue, about);
    return [name, fn];
  });
  return replaced(queue, Object.fromEntries(writes) as Partial<Queue>);
}

/** The same object with other methods. */
export function replaced<T extends object>(target: T, by: Partial<T>): T {
  return new Proxy(target, {
    get: (_target, name) => {
      if (Object.hasOwn(by, name)) return by[name as keyof T];
      const found: unknown = Reflect.get(target, name);
      return typeof found === 'function' ? (found.bind(target) as unknown) : found;
    },
  });
}
