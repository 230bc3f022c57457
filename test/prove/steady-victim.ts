/**
 * Steady work on a store whose disk is in trouble, and beside it, in the same process, on one whose disk is not. Its
 * standard input says `free` for the removal of what fills the disk, and `stop`.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isFailure, systemClock } from '../../lib/core';
import type { Queue, QueueOptions } from '../../lib/queue';
import { tell } from './ledger';
import { tellEnd } from './records';
import { BALLAST, Steady, type SteadyOptions } from './steady';
import { openStore } from './stores';

export interface SteadyWork extends SteadyOptions {
  readonly folder: string;
  /** A folder on a healthy disk. */
  readonly other: string;
  /** Stops by itself after so many puts that were confirmed; 0 waits for the input. */
  readonly most: number;
}

const QUEUE = 'plant';
const OTHER_MS = 5;
const OPEN_PAUSE_MS = 100;
const OPEN_MS = 40_000;
const OPTIONS: QueueOptions = {
  owner: { node: 'n1', name: 'steady', type: 'prove', flow: '' },
  ...{ ordered: true, maxRecords: 0, maxBytes: 0, maxAgeMs: 0, whenFull: 'reject', whenOld: 'deadLetter' },
  ...{ maxDeliveries: 0, duplicateWindowMs: 0 },
};

async function goOn(queue: Queue, until: () => boolean): Promise<void> {
  for (let n = 0; !until(); n += 1) {
    await queue.put({ id: `other-${n}`, key: '', time: n, body: Buffer.from('tick') });
    const [leased] = await queue.lease({ max: 1, perKey: 1, visibilityMs: 60_000 });
    if (leased && (await queue.acknowledge(leased.token))) tell({ e: 'other' });
    await pause(OTHER_MS);
  }
}

/** Opening may be refused like everything else; whoever needs the queue asks again. */
async function insist<T>(open: () => Promise<T>): Promise<T> {
  for (const began = performance.now(); ; await pause(OPEN_PAUSE_MS)) {
    try {
      return await open();
    } catch (error) {
      if (!isFailure(error) || error.code !== 'QUEUE_UNAVAILABLE' || performance.now() - began > OPEN_MS)
        throw error;
    }
  }
}

async function main(): Promise<void> {
  const work = JSON.parse(process.argv[2] ?? '') as SteadyWork;
  tell({ e: 'run' });
  const store = await insist(() => openStore(work.folder, systemClock));
  const queue = await insist(() => store.open(QUEUE, OPTIONS));
  const other = await openStore(work.other, systemClock);
  const beside = await other.open('beside', OPTIONS);
  tell({ e: 'open' });
  queue.listen({ trouble: (text) => tell(text === undefined ? { e: 'works' } : { e: 'trouble', text }) });
  let stored = 0;
  let ended = false;
  const steady = new Steady(queue, work, (event) => {
    tell(event);
    if (event.e === 'put') stored += 1;
    if (work.most > 0 && stored >= work.most) steady.stop();
  });
  process.stdin.on('data', (chunk) => {
    const said = String(chunk);
    if (said.includes('free')) rmSync(join(work.folder, BALLAST), { force: true });
    if (said.includes('stop')) steady.stop();
  });
  const side = goOn(beside, () => ended);
  await steady.run();
  ended = true;
  await side;
  await tellEnd(store, queue, QUEUE, tell);
  for (const one of [queue, beside, store, other]) await one.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    tell({
      e: 'wrong',
      text: `The process failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
    });
    process.exit(1);
  },
);
