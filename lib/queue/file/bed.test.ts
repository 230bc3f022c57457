/** What the tests of the file store share: a store in a folder of its own, gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Log } from '../../core';
import { VirtualClock } from '../../../test/helpers/virtual-clock';
import type { Attempt, Entry, Leased, Queue, QueueOptions, QueueStore } from '../types';
import { openFileStore } from './store';

export const plain: QueueOptions = {
  owner: { node: 'n1', name: 'Line 1', type: 'holdfast-queue', flow: 'Plant' },
  ordered: false,
  maxRecords: 0,
  maxBytes: 0,
  maxAgeMs: 0,
  whenFull: 'reject',
  whenOld: 'deadLetter',
  maxDeliveries: 0,
  duplicateWindowMs: 0,
};
export const failed: Attempt = { at: 5, kind: 'transient', code: 'PEER_ERROR', message: 'It did not work.' };

export class Bed {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-queue-'));
  readonly path = join(this.folder, 'store', 'queues.db');
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  /** The thread that was started last. */
  worker: Worker | undefined;
  readonly log: Log = {
    error: (text) => void this.lines.push(text),
    warn: (text) => void this.lines.push(text),
    info: (text) => void this.lines.push(text),
    debug: () => {},
  };
  readonly #stores: QueueStore[] = [];

  async store(clock = this.clock): Promise<QueueStore> {
    const started = (worker: Worker): void => void (this.worker = worker);
    const store = await openFileStore({ path: this.path, clock, log: this.log, started });
    this.#stores.push(store);
    return store;
  }

  async end(): Promise<void> {
    for (const store of this.#stores) await store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function entry(id: string, key = '', body = `body of ${id}`): Entry {
  return { id, key, time: 1000, body: Buffer.from(body) };
}

export async function fill(queue: Queue, count: number, key = '', body?: string): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => queue.put(entry(`${key}${i}`, key, body))));
}

export async function take(queue: Queue, max: number, visibilityMs = 60_000): Promise<readonly Leased[]> {
  return queue.lease({ max, perKey: max, visibilityMs });
}

export const ids = (leased: readonly Leased[]): string[] => leased.map(({ entry: { id } }) => id);

/** Leases and acknowledges until nothing comes. Returns the ids in their order. */
export async function drain(queue: Queue): Promise<string[]> {
  const found: string[] = [];
  for (;;) {
    const leased = await take(queue, 500);
    if (leased.length === 0) return found;
    found.push(...ids(leased));
    await Promise.all(leased.map(({ token }) => queue.acknowledge(token)));
  }
}

/** Waits for something that another thread brings about. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('It did not come about.');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
