/**
 * A queue with records that wait, are leased and are delayed, while the wall clock jumps: nothing may expire, and
 * nothing may be sent again. Standard input says when the clock has jumped; each answer goes to the ledger's pipe.
 */
import { createInterface } from 'node:readline';
import { systemClock } from '../../lib/core';
import type { KeyMemory, Queue, QueueOptions, QueueStore } from '../../lib/queue';
import { tellLine } from './ledger';
import { openStore } from './stores';

export interface ClockWork {
  readonly folder: string;
  /** The first life of the process fills the queue; the second finds it. */
  readonly life: 'first' | 'second';
}

export interface ClockAnswer {
  readonly wall: number;
  /** Ids that could be leased. */
  readonly leased: readonly string[];
  readonly counts: {
    readonly leased: number;
    readonly delayed: number;
    readonly dead: number;
    readonly dropped: number;
  };
  readonly oldestMs: number;
  /** The key memory still knew its key. */
  readonly known: boolean;
  /** A second put of an id within the window. */
  readonly repeated: string;
}

/** Far shorter than a day, far longer than the proof takes. */
const LONG_MS = 3_600_000;
const OPTIONS: QueueOptions = {
  owner: { node: 'n1', name: 'clock', type: 'prove', flow: '' },
  ...{ ordered: false, maxRecords: 0, maxBytes: 0, maxAgeMs: LONG_MS, whenFull: 'reject', whenOld: 'drop' },
  ...{ maxDeliveries: 0, duplicateWindowMs: LONG_MS },
};
const lease = { max: 5, perKey: 5, visibilityMs: LONG_MS };

interface Open {
  readonly store: QueueStore;
  readonly queue: Queue;
  readonly keys: KeyMemory | undefined;
}

async function fill({ queue, keys }: Open): Promise<void> {
  for (let n = 0; n < 12; n += 1)
    await queue.put({ id: `r${n}`, key: '', time: systemClock.now(), body: Buffer.from('clock') });
  await queue.lease(lease);
  for (const { token } of await queue.lease(lease)) await queue.reject(token, undefined, LONG_MS);
  await keys?.claim('once');
}

async function answer({ queue, keys }: Open): Promise<ClockAnswer> {
  const got = await queue.lease({ ...lease, max: 100 });
  for (const { token } of got) await queue.release(token);
  const { leased, delayed, dead, oldestMs, totals } = await queue.stats();
  const known = keys === undefined || !(await keys.claim('once'));
  const repeated = await queue.put({ id: 'r0', key: '', time: 0, body: Buffer.from('clock') });
  return {
    ...{ wall: Date.now(), leased: got.map(({ entry }) => entry.id), oldestMs, known, repeated },
    counts: { leased, delayed, dead, dropped: totals.dropped.old },
  };
}

async function main(): Promise<void> {
  const work = JSON.parse(process.argv[2] ?? '') as ClockWork;
  const store = await openStore(work.folder, systemClock);
  const queue = await store.open('clock', OPTIONS);
  const keys = await store.keys?.('clock', { windowMs: LONG_MS, maxKeys: 100 });
  const open = { store, queue, keys };
  if (work.life === 'first') await fill(open);
  tellLine(await answer(open));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'stop') break;
    tellLine(await answer(open));
  }
  await store.close();
  process.exit(0);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
