/**
 * `npm run prove:outage`: a million messages gather while the peer is dead; then a new process finds them, is ready at
 * once, and sends them in order, without holding them in memory and without stopping its event loop.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './compile';
import { command, type Options } from './options';
import type { OutageFigures, OutageWork } from './outage-victim';
import { run } from './process';
import { scratch } from './scratch';
import { table } from './table';

const RECORDS = 1_000_000;
const MOST_MIB_ABOVE = 50;
const MOST_READY_MS = 5000;
const MOST_DELAY_MS = 50;
const LIMIT_MS = 900_000;

async function phase(program: string, work: OutageWork): Promise<OutageFigures> {
  const { events, code, signal, hung, errors } = await run<OutageFigures>(program, work, {
    nodeOptions: ['--expose-gc'],
    limitMs: LIMIT_MS,
  });
  const [figures] = events;
  if (figures && code === 0) return figures;
  throw new Error(
    `The phase "${work.phase}" ended with ${hung ? 'a hang' : (signal ?? code ?? '')}: ${errors}`,
  );
}

function faultsOf(
  name: string,
  empty: OutageFigures,
  filled: OutageFigures,
  drained: OutageFigures,
): string[] {
  const limits: readonly [string, number, number][] = [
    ['MiB above a process with as much traffic and no backlog', filled.rss - empty.busy, MOST_MIB_ABOVE],
    ['MiB above the empty process with the backlog found', drained.rss - empty.rss, MOST_MIB_ABOVE],
    ['ms until ready', drained.ready, MOST_READY_MS],
    ['ms event loop delay at p99 while filling', filled.delay, MOST_DELAY_MS],
    ['ms event loop delay at p99 while draining', drained.delay, MOST_DELAY_MS],
    ['lost', drained.lost, 0],
    ['delivered again', drained.again, 0],
    ['out of order', drained.disordered, 0],
  ];
  return limits
    .filter(([, value, most]) => !(value <= most))
    .map(([what, value, most]) => `${name}: ${value.toFixed(1)} ${what}; at most ${most}.`);
}

async function queueAlone(
  program: string,
  directory: string,
  keys: number,
  records: number,
): Promise<string[]> {
  const name = keys === 0 ? 'queue, no keys' : `queue, ${keys} keys`;
  const folder = join(directory, `keys-${keys}`);
  for (const path of [folder, join(directory, 'empty')]) mkdirSync(path, { recursive: true });
  const work = { folder, records, keys, bytes: 200 };
  const empty = await phase(program, { ...work, phase: 'empty', folder: join(directory, 'empty') });
  const filled = await phase(program, { ...work, phase: 'fill' });
  const drained = await phase(program, { ...work, phase: 'drain' });
  const above = (figures: number): number => Math.round(figures - empty.rss);
  const rows: [string, number, number, number, number, number, number][] = [
    [
      'filling',
      records,
      above(filled.rss),
      above(filled.peak),
      0,
      Math.round(filled.rate),
      Math.round(filled.delay),
    ],
    [
      'draining',
      records - drained.lost,
      above(drained.rss),
      above(drained.peak),
      Math.round(drained.ready),
      Math.round(drained.rate),
      Math.round(drained.delay),
    ],
  ];
  const head = ['', 'records', 'MiB above empty', 'peak', 'ms to ready', 'records/s', 'delay p99 ms'];
  console.log(
    `\n${name} (empty process ${Math.round(empty.rss)} MiB, ready in ${Math.round(empty.ready)} ms;`,
    `${Math.round(empty.busy)} MiB after as much traffic through an empty queue)`,
  );
  console.log(table(head, rows));
  console.log(`lost ${drained.lost}, delivered again ${drained.again}, out of order ${drained.disordered}`);
  rmSync(folder, { recursive: true });
  return faultsOf(name, empty, filled, drained);
}

async function main({ quick, only }: Options): Promise<boolean> {
  const compiled = compile();
  const directory = scratch('holdfast-prove-outage-');
  const records = quick ? RECORDS / 10 : RECORDS;
  const program = compiled.program('outage-victim');
  const parts = [0, 100].map((keys) => ({
    name: `queue, ${keys} keys`,
    run: () => queueAlone(program, directory, keys, records),
  }));
  const faults: string[] = [];
  for (const part of parts.filter(({ name }) => name.includes(only))) faults.push(...(await part.run()));
  for (const fault of faults) console.log(`✘ ${fault}`);
  return faults.length === 0;
}

command(main);
