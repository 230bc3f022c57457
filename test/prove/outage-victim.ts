/**
 * One life of a process during a long outage, on `lib/queue` alone: with nothing to do, while a dead peer lets the
 * backlog grow, or after the peer has come back. Figures go to the ledger's pipe.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../lib/core';
import type { Leased, Queue, QueueStore } from '../../lib/queue';
import { tellLine } from './ledger';
import { OrderLedger } from './order-ledger';
import { openStore } from './stores';

export interface OutageWork {
  readonly phase: 'empty' | 'fill' | 'drain';
  readonly folder: string;
  readonly records: number;
  readonly keys: number;
  readonly bytes: number;
}

/** Everything in MiB, ms or records a second; what a phase does not measure is 0. */
export interface OutageFigures {
  /** After garbage collection, with the backlog as the phase leaves or finds it. */
  readonly rss: number;
  /** The same after as much traffic through an empty queue: what the engine's own garbage costs at this speed. */
  readonly busy: number;
  /** The highest ever, as the kernel counts it. */
  readonly peak: number;
  /** From the start of the process to its first leased record. */
  readonly ready: number;
  readonly rate: number;
  /** 99th percentile of the event loop's delay. */
  readonly delay: number;
  readonly lost: number;
  readonly again: number;
  readonly disordered: number;
}

const NOTHING: OutageFigures = {
  busy: 0,
  rss: 0,
  peak: 0,
  ready: 0,
  rate: 0,
  delay: 0,
  lost: 0,
  again: 0,
  disordered: 0,
};
const MIB = 1024 * 1024;
const PUTS = 2000;
const BATCH = 500;
const NEVER_MS = 3_600_000;

const residentMiB = async (): Promise<number> => {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await turn();
  }
  return process.memoryUsage.rss() / MIB;
};
const peakMiB = (): number => process.resourceUsage().maxRSS / 1024;

async function openQueue(work: OutageWork): Promise<{ store: QueueStore; queue: Queue }> {
  const store = await openStore(work.folder, systemClock);
  const queue = await store.open('outage', {
    owner: { node: 'n1', name: 'outage', type: 'prove', flow: '' },
    ...{ ordered: false, maxRecords: 0, maxBytes: 0, maxAgeMs: 0, whenFull: 'reject', whenOld: 'deadLetter' },
    ...{ maxDeliveries: 0, duplicateWindowMs: 0 },
  });
  return { store, queue };
}

/** The peer is dead: whatever is tried comes back. */
async function tryInVain(queue: Queue): Promise<void> {
  const leased = await queue.lease({ max: 1, perKey: 1, visibilityMs: NEVER_MS });
  const attempt = {
    at: 0,
    kind: 'transient',
    code: 'CONNECTION_REFUSED',
    message: 'Nothing listens.',
  } as const;
  for (const { token } of leased) await queue.reject(token, attempt, 0);
}

async function fill(work: OutageWork, queue: Queue): Promise<OutageFigures> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const began = performance.now();
  const body = Buffer.alloc(work.bytes, 'x');
  for (let n = 0; n < work.records;) {
    const puts: Promise<unknown>[] = [];
    for (let end = Math.min(n + PUTS, work.records); n < end; n += 1) {
      const key = work.keys === 0 ? '' : `k${n % work.keys}`;
      puts.push(queue.put({ id: String(n), key, time: n, body }));
    }
    await Promise.all(puts);
    await tryInVain(queue);
  }
  const rate = (work.records / (performance.now() - began)) * 1000;
  const delay = delays.percentile(99) / 1e6;
  return { ...NOTHING, rss: await residentMiB(), peak: peakMiB(), rate, delay };
}

/** Every record that is put is taken at once: the queue stays empty. */
async function empty(work: OutageWork, queue: Queue): Promise<OutageFigures> {
  const ready = performance.now();
  const rss = await residentMiB();
  const body = Buffer.alloc(work.bytes, 'x');
  for (let n = 0; n < work.records; n += PUTS) {
    const entries = Array.from({ length: PUTS }, (_, i) => ({ id: String(n + i), key: '', time: n, body }));
    await Promise.all(entries.map((entry) => queue.put(entry)));
    const leased = await queue.lease({ max: PUTS, perKey: PUTS, visibilityMs: NEVER_MS });
    await Promise.all(leased.map(({ token }) => queue.acknowledge(token)));
  }
  return { ...NOTHING, rss, busy: await residentMiB(), peak: peakMiB(), ready };
}

async function drain(work: OutageWork, queue: Queue): Promise<OutageFigures> {
  const lease = (): Promise<readonly Leased[]> =>
    queue.lease({ max: BATCH, perKey: BATCH, visibilityMs: NEVER_MS });
  const seen = new OrderLedger(work.records);
  let next = lease();
  await next;
  // Time 0 of the performance clock is the start of the process.
  const ready = performance.now();
  const rss = await residentMiB();
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const began = performance.now();
  // Two batches at a time: one is on its way while the other is acknowledged.
  for (let acknowledged: Promise<boolean>[] = []; ;) {
    const leased = await next;
    if (leased.length === 0 && acknowledged.length === 0) break;
    const settled = Promise.all(acknowledged);
    for (const { entry } of leased) seen.saw(Number(entry.id), entry.key);
    acknowledged = leased.map(({ token }) => queue.acknowledge(token));
    // An empty lease says nothing while others hold their keys.
    if (leased.length === 0) await settled;
    next = lease();
    seen.worthless((await settled).filter((ok) => !ok).length);
  }
  const rate = (work.records / (performance.now() - began)) * 1000;
  const delay = delays.percentile(99) / 1e6;
  const { lost, again, disordered } = seen;
  return { ...NOTHING, rss, peak: peakMiB(), ready, rate, delay, lost, again, disordered };
}

async function main(): Promise<void> {
  const work = JSON.parse(process.argv[2] ?? '') as OutageWork;
  const { store, queue } = await openQueue(work);
  if (work.phase === 'fill') tellLine(await fill(work, queue));
  else if (work.phase === 'drain') tellLine(await drain(work, queue));
  else tellLine(await empty(work, queue));
  await queue.close();
  await store.close();
}

const alive = setInterval(() => undefined, NEVER_MS);
main().then(
  () => clearInterval(alive),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
