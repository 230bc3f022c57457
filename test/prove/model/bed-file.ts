/** The file store, with the ends that its process, its thread and its disk may come to. */
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { silentLog } from '../../../lib/core';
import type { Queue, QueueStore } from '../../../lib/queue';
import { openFileStore } from '../../../lib/queue/file/store';
import { settle, VirtualClock } from '../../helpers/virtual-clock';
import { between, randomOf } from '../random';
import { scratch } from '../scratch';
import type { CrashKind } from './actions';
import type { Bed, Crashed } from './bed';
import { OWNER, type Abilities } from './generate';
import { MEMORY } from './bed-memory';

export const FILE: Abilities = { ...MEMORY, crashes: ['thread', 'process', 'power'], restart: true };

const CLOCK = 'the-clock';
const PLAIN = {
  owner: OWNER,
  ordered: false,
  maxRecords: 0,
  maxBytes: 0,
  maxAgeMs: 0,
  whenFull: 'reject' as const,
  whenOld: 'drop' as const,
  maxDeliveries: 0,
  duplicateWindowMs: 0,
};

export class FileBed implements Bed {
  readonly able = FILE;
  crashes = 0;
  readonly #root = scratch('holdfast-model-');
  readonly #random: () => number;
  #folders = 0;
  #clock = new VirtualClock();
  #store!: QueueStore;
  #worker!: Worker;
  /** Its one record is as old as the store was ever open. */
  #running!: Queue;

  private constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  static async start(seed: number): Promise<FileBed> {
    const bed = new FileBed(seed);
    mkdirSync(bed.#folder);
    await bed.#open();
    await bed.#running.put({ id: CLOCK, key: '', time: 0, body: Buffer.alloc(0) });
    return bed;
  }

  get store(): QueueStore {
    return this.#store;
  }
  get #folder(): string {
    return join(this.#root, String(this.#folders));
  }
  #file(ending = ''): string {
    return join(this.#folder, `queues.db${ending}`);
  }

  advance(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  async running(): Promise<number> {
    return (await this.#running.stats()).oldestMs;
  }

  async restart(): Promise<void> {
    await this.#store.close();
    await this.#open();
  }

  async crash(how: CrashKind, begin: () => Promise<unknown>): Promise<Crashed> {
    this.crashes += 1;
    if (how === 'power') return this.#powerCut(begin);
    const under = begin();
    // The thread may have got none of it, a part, or all.
    for (let turns = between(this.#random, 0, 6); turns > 0; turns -= 1) await settle();
    const ended = once(this.#worker, 'exit');
    await this.#worker.terminate();
    await ended;
    await under;
    if (how === 'thread') await this.#recover();
    else await this.#open();
    return { handlesSurvive: how === 'thread', answersHold: true };
  }

  async close(): Promise<void> {
    await this.#store.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** The store starts another thread by itself, after a while. */
  async #recover(): Promise<void> {
    for (let tries = 0; tries < 3000; tries += 1) {
      await this.#clock.advance(20);
      const works = await this.#running.stats().then(
        () => true,
        () => false,
      );
      if (works) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error('The store does not recover from the end of its thread.');
  }

  /**
   * Every answer so far was given after a sync, so the log up to here is on disk. Of what is written to it now, a part
   * from the beginning reaches the disk.
   */
  async #powerCut(begin: () => Promise<unknown>): Promise<Crashed> {
    const before = sizes(this.#file(), this.#file('-wal'));
    await begin();
    const after = sizes(this.#file(), this.#file('-wal'));
    const old = { store: this.#store, file: this.#file(), wal: this.#file('-wal') };
    this.#folders += 1;
    mkdirSync(this.#folder);
    copyFileSync(old.file, this.#file());
    if (existsSync(old.wal)) copyFileSync(old.wal, this.#file('-wal'));
    // When the log began anew meanwhile, all of it is kept.
    const grew = after.main === before.main && after.wal > before.wal;
    if (grew) truncateSync(this.#file('-wal'), between(this.#random, before.wal, after.wal));
    await old.store.close();
    await this.#open();
    return { handlesSurvive: false, answersHold: false };
  }

  /** As a new process does, with a clock that begins anew. */
  async #open(): Promise<void> {
    this.#clock = new VirtualClock();
    const started = (worker: Worker): void => void (this.#worker = worker);
    this.#store = await openFileStore({ path: this.#file(), clock: this.#clock, log: silentLog, started });
    this.#running = await this.#store.open(CLOCK, PLAIN);
  }
}

function sizes(main: string, wal: string): { main: number; wal: number } {
  return { main: statSync(main).mtimeMs, wal: existsSync(wal) ? statSync(wal).size : 0 };
}
