/** Steady work on a queue that may be in trouble: refusals are told and go on, ends are asked again until answered. */
import { setTimeout as pause } from 'node:timers/promises';
import { isFailure } from '../../lib/core';
import type { Leased, Queue } from '../../lib/queue';
import type { LedgerEvent } from './ledger';
import { bodyOf } from './records';

export interface SteadyOptions {
  readonly keys: number;
  readonly bytes: number;
  /** Most puts without an answer, and most records leased. */
  readonly puts: number;
  readonly window: number;
  /** Numbers begin here. */
  readonly first: number;
  /** Consumption begins with `stop`, so that a backlog gathers. */
  readonly late: boolean;
}

/** The file that fills the small disk, by name. */
export const BALLAST = 'ballast';

const NEVER_MS = 3_600_000;
/** How long one waits who was refused. */
const PAUSE_MS = 20;

export class Steady {
  #stopped = false;
  #n: number;

  constructor(
    readonly queue: Queue,
    readonly options: SteadyOptions,
    readonly tell: (event: LedgerEvent) => void,
  ) {
    this.#n = options.first;
  }

  /** No more puts; what is there is taken to its end. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves once it was stopped and nothing is left. */
  async run(): Promise<void> {
    const producers = Array.from({ length: this.options.puts }, () => this.#produce());
    const produced = Promise.all(producers);
    if (this.options.late) await produced;
    await Promise.all([produced, this.#consume()]);
  }

  async #produce(): Promise<void> {
    while (!this.#stopped) {
      const n = this.#n++;
      const key = `k${n % this.options.keys}`;
      const id = `${key}-${n}-${this.options.bytes}`;
      this.tell({ e: 'try', id, key, n });
      try {
        const result = await this.queue.put({ id, key, time: n, body: bodyOf(id) });
        this.tell({ e: 'put', id, result });
      } catch (error) {
        this.tell({ e: 'refused', id, code: isFailure(error) ? error.code : String(error) });
        await pause(PAUSE_MS);
      }
    }
  }

  async #consume(): Promise<void> {
    for (;;) {
      const stopped = this.#stopped;
      const leased = await this.#lease();
      for (const one of leased ?? []) await this.#take(one);
      if (leased?.length === 0 && stopped) return;
      if (leased === undefined || leased.length === 0) await pause(PAUSE_MS);
    }
  }

  /** Undefined: the store cannot now. */
  async #lease(): Promise<readonly Leased[] | undefined> {
    try {
      const leased = await this.queue.lease({ max: this.options.window, perKey: 1, visibilityMs: NEVER_MS });
      for (const { entry, delivery } of leased)
        this.tell({ e: 'got', id: entry.id, key: entry.key, delivery });
      return leased;
    } catch {
      return undefined;
    }
  }

  async #take({ entry, token }: Leased): Promise<void> {
    const { id, body } = entry;
    if (Buffer.compare(body, bodyOf(id)) !== 0) this.tell({ e: 'wrong', text: `${id} has another body.` });
    this.tell({ e: 'ending', id, how: 'acknowledge' });
    for (;;) {
      try {
        const ok = await this.queue.acknowledge(token);
        return this.tell({ e: 'ended', id, how: 'acknowledge', ok });
      } catch {
        await pause(PAUSE_MS);
      }
    }
  }
}
