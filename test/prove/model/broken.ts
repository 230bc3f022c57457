/** Queues with a fault each, made of a good store: what the model must find. */
import type { Leased, Queue, QueueStore } from '../../../lib/queue';

/** The queue's own methods, some of them replaced. */
type Fault = (queue: Queue) => Partial<Queue>;

/** One time in so many. */
const SOMETIMES = 7;

export const FAULTS: Readonly<Record<string, () => Fault>> = {
  'loses a record that it confirmed': () => {
    let puts = 0;
    return (queue) => ({
      put: async (entry) => ((puts += 1) % SOMETIMES === 0 ? 'stored' : queue.put(entry)),
    });
  },
  'hands out a lease in the wrong order': () => (queue) => ({
    lease: async (options) => [...(await queue.lease(options))].reverse(),
  }),
  'delivers again what was acknowledged': () => {
    let acknowledged = 0;
    return (queue) => ({
      acknowledge: async (token) =>
        (acknowledged += 1) % SOMETIMES === 0 ? queue.reject(token, undefined, 0) : queue.acknowledge(token),
    });
  },
  'forgets how often it delivered': () => (queue) => ({
    lease: async (options) => (await queue.lease(options)).map((one): Leased => ({ ...one, delivery: 1 })),
  }),
  'forgets failed attempts': () => (queue) => ({
    reject: (token, _attempt, delayMs) => queue.reject(token, undefined, delayMs),
  }),
  'takes a worthless token': () => (queue) => ({
    release: async (token) => {
      await queue.release(token);
      return true;
    },
  }),
  'counts a release as a delivery': () => (queue) => ({
    release: (token) => queue.reject(token, undefined, 0),
  }),
  'waits for no delay': () => (queue) => ({ reject: (token, attempt) => queue.reject(token, attempt, 0) }),
  'lets a record die twice as a number': () => (queue) => ({
    stats: async () => {
      const stats = await queue.stats();
      return { ...stats, totals: { ...stats.totals, died: stats.totals.died * 2 } };
    },
  }),
  'purges what is leased in the count': () => (queue) => ({ purge: async () => (await queue.purge()) + 1 }),
};

export function withFault(fault: Fault): (store: QueueStore) => QueueStore {
  return (store) =>
    new Proxy(store, {
      get(target, name) {
        if (name === 'open')
          return async (...open: Parameters<QueueStore['open']>) => broken(await target.open(...open), fault);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
}

function broken(queue: Queue, fault: Fault): Queue {
  const own = fault(queue);
  return new Proxy(queue, {
    get(target, name) {
      const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
