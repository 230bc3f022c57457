/**
 * The file store against a bare node:sqlite loop on the same disk: both keep every record with synchronous FULL, and
 * both end it. The store's figure holds everything a user meets: put resolved, leased, acknowledged and that resolved.
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLog, systemClock } from '../../lib/core';
import type { Queue, QueueOptions } from '../../lib/queue';
import { openFileStore } from '../../lib/queue/file/store';
import { interleave, median } from './measure';
import type { BenchSuite, Report } from './types';

const RECORDS = 200_000;
const ROUNDS = 5;
const IN_FLIGHT = 4000;
const LEASE = 1000;
const CONSUMERS = 8;
/** Records of one commit of the bare loop. */
const COMMIT = 200;
const BODY = Buffer.from(JSON.stringify({ topic: 'plant/line 1/temperature', payload: 'x'.repeat(100) }));
const SLOW_PUTS = 1000;
const WARM_UP = 20_000;
const PAUSE_MS = 2;

const options: QueueOptions = {
  owner: { node: 'bench', name: '', type: 'bench', flow: '' },
  ordered: false,
  maxRecords: 0,
  maxBytes: 0,
  maxAgeMs: 0,
  whenFull: 'reject',
  whenOld: 'deadLetter',
  maxDeliveries: 0,
  duplicateWindowMs: 0,
};

/** Commits by hundreds; what one commit stored, the next one removes. Returns records a second. */
function bare(folder: string): number {
  const db = new DatabaseSync(join(folder, `bare-${performance.now()}.db`));
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE q(seq INTEGER PRIMARY KEY, body BLOB)',
  );
  const insert = db.prepare('INSERT INTO q(seq, body) VALUES(?, ?)');
  const remove = db.prepare('DELETE FROM q WHERE seq = ?');
  const start = performance.now();
  for (let first = 0; first < RECORDS + COMMIT; first += COMMIT) {
    db.exec('BEGIN IMMEDIATE');
    for (let i = Math.max(0, first - COMMIT); i < first; i += 1) remove.run(i);
    if (first < RECORDS) for (let i = first; i < first + COMMIT; i += 1) insert.run(i, BODY);
    db.exec('COMMIT');
  }
  const rate = RECORDS / ((performance.now() - start) / 1000);
  db.close();
  return rate;
}

async function produce(queue: Queue, count: number): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const id = String((next += 1));
      await queue.put({ id, key: '', time: 1_760_000_000_000, body: BODY });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
}

async function consume(queue: Queue, count: number): Promise<void> {
  let done = 0;
  let asleep: (() => void)[] = [];
  const wake = (): void => {
    for (const one of asleep.splice(0)) one();
  };
  const stop = queue.listen({ ready: wake });
  const one = async (): Promise<void> => {
    while (done < count) {
      const ready = new Promise<void>((resolve) => asleep.push(resolve));
      const leased = await queue.lease({ max: LEASE, perKey: LEASE, visibilityMs: 60_000 });
      if (leased.length === 0) {
        if (done < count) await ready;
      } else {
        await Promise.all(leased.map(({ token }) => queue.acknowledge(token)));
        done += leased.length;
      }
    }
    wake();
  };
  await Promise.all(Array.from({ length: CONSUMERS }, one));
  stop();
  asleep = [];
}

async function through(queue: Queue): Promise<number> {
  const start = performance.now();
  await Promise.all([produce(queue, RECORDS), consume(queue, RECORDS)]);
  return RECORDS / ((performance.now() - start) / 1000);
}

async function putOnly(queue: Queue): Promise<number> {
  const start = performance.now();
  await produce(queue, RECORDS / 4);
  const rate = RECORDS / 4 / ((performance.now() - start) / 1000);
  await queue.purge();
  return rate;
}

function p99(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length * 0.99)] ?? NaN;
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** One append and one fsync, and one put, in turn: both meet the same disk. Milliseconds at p99. */
async function slowly(queue: Queue, folder: string): Promise<{ put: number; fsync: number }> {
  const file = openSync(join(folder, 'fsync'), 'a');
  const puts: number[] = [];
  const fsyncs: number[] = [];
  await produce(queue, WARM_UP);
  await queue.purge();
  for (let i = 0; i < SLOW_PUTS; i += 1) {
    let start = performance.now();
    writeSync(file, Buffer.alloc(4096));
    fsyncSync(file);
    fsyncs.push(performance.now() - start);
    await pause();
    start = performance.now();
    await queue.put({ id: `slow ${i}`, key: '', time: 0, body: BODY });
    puts.push(performance.now() - start);
    await pause();
  }
  closeSync(file);
  await queue.purge();
  return { put: p99(puts), fsync: p99(fsyncs) };
}

async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const store = await openFileStore({
    path: join(folder, 'store', 'queues.db'),
    clock: systemClock,
    log: silentLog,
  });
  try {
    const queue = await store.open('bench', options);
    const slow = await slowly(queue, folder);
    report.figure({
      name: 'file store: one put at low rate, p99',
      ours: slow.put,
      reference: slow.fsync,
      unit: 'ms',
      target: 'at most 1 ms above one fsync',
      ok: slow.put - slow.fsync <= 1,
    });
    const delays: number[] = [];
    const watched = async (): Promise<number> => {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const rate = await through(queue);
      delay.disable();
      delays.push(delay.percentile(99) / 1e6);
      return rate;
    };
    const rates = await interleave({ bare: () => bare(folder), ours: watched }, ROUNDS);
    report.figure({
      name: 'file store: put, lease, acknowledge under load',
      ours: rates.ours,
      reference: rates.bare,
      unit: 'records/s',
      target: `at least 0.5 of a bare loop that commits by ${COMMIT}`,
      ok: rates.ours >= 0.5 * rates.bare,
    });
    const puts = await putOnly(queue);
    report.note(`put alone, without lease and acknowledgement: ${Math.round(puts)} records/s`);
    const delay = median(delays.slice(1));
    report.figure({
      name: 'file store: event-loop delay p99 under load',
      ours: delay,
      unit: 'ms',
      target: 'below 20 ms',
      ok: delay < 20,
    });
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const suite: BenchSuite = { name: 'queue', run };
