/** Counts from outside what went into queues and what left them, because RabbitMQ keeps no totals. */
import assert from 'node:assert/strict';
import type { Queue, QueueOptions, QueueStore } from '../../lib/queue';
import { until } from './rabbit-bed';

interface Opened {
  readonly options: QueueOptions;
  readonly handles: Queue[];
  /** Records that must be in the queue or among its dead letters. */
  there: number;
}

export class Outside {
  readonly #opened = new Map<string, Opened>();

  /** Counts what is done through every queue that the store opens from now on. */
  watch(store: QueueStore): void {
    const open = store.open.bind(store);
    store.open = async (name, options) => {
      const queue = await open(name, options);
      const opened = this.#opened.get(name) ?? { options, handles: [], there: 0 };
      this.#opened.set(name, opened);
      opened.handles.push(queue);
      count(queue, (by) => (opened.there += by));
      return queue;
    };
  }

  /** Gives back what is leased and counts what is there. */
  async conserved(store: QueueStore): Promise<void> {
    for (const [name, { options, handles, there }] of [...this.#opened]) {
      await Promise.all(handles.map((queue) => queue.close()));
      const queue = await store.open(name, options);
      let seen = '';
      const found = until(async () => {
        const { waiting, leased, delayed, dead } = await queue.stats();
        seen = `${name}: ${waiting} waiting, ${leased} leased, ${delayed} delayed, ${dead} dead of ${there}`;
        return waiting + leased + delayed + dead === there ? true : undefined;
      }, 15_000);
      await found.catch(() => assert.fail(seen));
    }
  }
}

function count(queue: Queue, by: (records: number) => void): void {
  const put = queue.put.bind(queue);
  const acknowledge = queue.acknowledge.bind(queue);
  const purge = queue.purge.bind(queue);
  queue.put = async (entry) => {
    const result = await put(entry);
    if (result === 'stored') by(1);
    return result;
  };
  queue.acknowledge = async (token) => {
    const ended = await acknowledge(token);
    if (ended) by(-1);
    return ended;
  };
  queue.purge = async () => {
    const purged = await purge();
    by(-purged);
    return purged;
  };
}
