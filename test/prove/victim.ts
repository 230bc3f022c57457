/**
 * The process under test: puts, leases and ends records of one queue, tells the ledger of every step, and may be
 * killed at any moment. Its work is given as JSON in its only argument.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../lib/core';
import type { Leased, Queue, QueueOptions } from '../../lib/queue';
import { tell, type Ending } from './ledger';
import { between, randomOf } from './random';
import { bodyOf, endAs, QUEUE, tellEnd } from './records';
import { openStore } from './stores';

export interface Work {
  /** Where the store keeps its files. */
  readonly folder: string;
  readonly seed: number;
  /** Records to put, numbered from `first`, spread over `keys` keys. */
  readonly records: number;
  readonly first: number;
  readonly keys: number;
  /** Body sizes are up to four times this. */
  readonly bytes: number;
  /** Most puts without an answer, most records leased, most of one key in a lease. */
  readonly puts: number;
  readonly window: number;
  readonly perKey: number;
  /** Consumption begins after so many puts. */
  readonly lag: number;
  /** Also reject, release and dead-letter, not only acknowledge. */
  readonly mixed: boolean;
  /** Take what is there to its end and tell what is left. */
  readonly drain: boolean;
  /** Puts of earlier runs that had no answer, to be asked again; needs a duplicate window. */
  readonly again?: readonly { readonly id: string; readonly key: string; readonly n: number }[];
  readonly duplicateWindowMs?: number;
  readonly maxDeliveries?: number;
  /** The records are not this program's: their bodies and times say nothing. */
  readonly foreign?: boolean;
  /** The process kills itself when the record of this number is delivered. */
  readonly poison?: number;
}

const NEVER_MS = 3_600_000;

function optionsOf(work: Work): QueueOptions {
  return {
    owner: { node: 'n1', name: 'victim', type: 'prove', flow: '' },
    ...{ ordered: true, maxRecords: 0, maxBytes: 0, maxAgeMs: 0, whenFull: 'reject', whenOld: 'deadLetter' },
    maxDeliveries: work.maxDeliveries ?? 0,
    duplicateWindowMs: work.duplicateWindowMs ?? 0,
  };
}

class Victim {
  readonly #random: () => number;
  #out = 0;
  #producing = true;
  #confirmed = 0;
  #wake: () => void = () => undefined;

  constructor(
    readonly work: Work,
    readonly queue: Queue,
  ) {
    this.#random = randomOf(work.seed);
    queue.listen({ ready: () => this.#wake() });
  }

  async run(): Promise<void> {
    await Promise.all([this.#produce(), this.#consume()]);
  }

  async #produce(): Promise<void> {
    const { work } = this;
    const open = new Set<Promise<void>>();
    const ask = async (id: string, key: string, n: number): Promise<void> => {
      while (open.size >= work.puts) await Promise.race(open);
      tell({ e: 'try', id, key, n });
      const put = this.#put(id, key, n).finally(() => open.delete(put));
      open.add(put);
    };
    for (const { id, key, n } of work.again ?? []) await ask(id, key, n);
    for (let n = work.first; n < work.first + work.records; n += 1) {
      const key = `k${between(this.#random, 1, work.keys)}`;
      await ask(`${key}-${n}-${work.bytes}`, key, n);
      if (this.#random() < 0.1) await turn();
    }
    await Promise.all(open);
    this.#producing = false;
    this.#wake();
  }

  async #put(id: string, key: string, n: number): Promise<void> {
    const result = await this.queue.put({ id, key, time: n, body: bodyOf(id) });
    tell({ e: 'put', id, result });
    this.#confirmed += 1;
    this.#wake();
  }

  async #consume(): Promise<void> {
    const { work } = this;
    while (this.#producing && this.#confirmed < work.lag) await this.#woken();
    for (;;) {
      // An empty lease means the end only if nothing was out when it was asked for: what is out holds its key.
      const last = !this.#producing && this.#out === 0;
      const woken = this.#woken();
      const max = work.window - this.#out;
      const options = { max, perKey: work.perKey, visibilityMs: NEVER_MS };
      const leased = max > 0 ? await this.queue.lease(options) : [];
      for (const one of leased) this.#take(one);
      if (leased.length > 0) continue;
      if (last) return;
      await woken;
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #take({ entry, token, delivery }: Leased): void {
    const { id, key, time, body } = entry;
    tell({ e: 'got', id, key, delivery });
    if (Number(id.split('-')[1]) === this.work.poison) process.kill(process.pid, 'SIGKILL');
    if (this.work.foreign !== true) this.#compare(id, time, body);
    this.#out += 1;
    this.#end(id, token).catch((error: unknown) => tell({ e: 'wrong', text: `${id}: ${String(error)}` }));
  }

  #compare(id: string, time: number, body: Uint8Array): void {
    if (time !== Number(id.split('-')[1])) tell({ e: 'wrong', text: `${id} has another time.` });
    if (Buffer.compare(body, bodyOf(id)) !== 0) tell({ e: 'wrong', text: `${id} has another body.` });
  }

  async #end(id: string, token: string): Promise<void> {
    for (let turns = between(this.#random, 0, 3); turns > 0; turns -= 1) await turn();
    const how = this.#choose();
    tell({ e: 'ending', id, how });
    const ok = await endAs(this.queue, how, token);
    tell({ e: 'ended', id, how, ok });
    this.#out -= 1;
    this.#wake();
  }

  #choose(): Ending {
    const chance = this.work.mixed ? this.#random() : 1;
    if (chance < 0.08) return 'reject';
    if (chance < 0.14) return 'release';
    return chance < 0.2 ? 'deadLetter' : 'acknowledge';
  }
}

async function main(): Promise<void> {
  const work = JSON.parse(process.argv[2] ?? '') as Work;
  tell({ e: 'run' });
  const store = await openStore(work.folder, systemClock);
  const queue = await store.open(QUEUE, optionsOf(work));
  tell({ e: 'open' });
  await new Victim(work, queue).run();
  if (work.drain) await tellEnd(store, queue, QUEUE, tell);
  await queue.close();
  await store.close();
}

// A store whose threads do not keep a process alive needs something that does.
const alive = setInterval(() => undefined, NEVER_MS);
main().then(
  () => clearInterval(alive),
  (error: unknown) => {
    tell({
      e: 'wrong',
      text: `The process failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
    });
    process.exit(1);
  },
);
