/**
 * `npm run prove:crash`: the process that works on the file store is killed before every call that changes a file, in
 * turn, and at random under load; and the disk's power is cut. Whatever was confirmed must be there afterwards, once, in order.
 */
import { join } from 'node:path';
import { compile, ROOT } from './compile';
import type { Bench } from './crash-bench';
import { everyCall } from './crash-calls';
import { flows } from './crash-flow';
import { poison } from './crash-poison';
import { powerCuts } from './crash-power';
import { atRandom } from './crash-random';
import { command, type Options } from './options';
import { SCENARIOS, WINDOW } from './scenarios';
import { scratch } from './scratch';
import { straceMissing } from './strace';
import { table } from './table';
import { Tally } from './tally';

/** More are counted, not printed. */
const MOST_FAILURES = 20;

function report({ tally, reached }: Bench, seconds: number): void {
  const rows = [...reached].sort(([a], [b]) => a.localeCompare(b));
  console.log(table(['interrupted', 'crash points'], rows));
  const { points, messages, lost, duplicated, disordered, wrong } = tally;
  const head = ['crash points', 'messages', 'lost', 'duplicated', 'out of order', 'other faults', 'seconds'];
  console.log(`\n${table(head, [[points, messages, lost, duplicated, disordered, wrong, seconds]])}`);
  console.log(
    `Duplicated: came again after a kill, at most ${WINDOW} a kill (Node-RED: 8), with the same id and a higher delivery number.`,
  );
  for (const failure of tally.failures.slice(0, MOST_FAILURES)) console.log(`✘ ${failure}`);
}

async function main(options: Options): Promise<boolean> {
  const missing = straceMissing();
  if (missing !== undefined) throw new Error(missing);
  const began = performance.now();
  const compiled = compile();
  const directory = scratch('holdfast-prove-crash-');
  const tally = new Tally(join(ROOT, '.cache', 'prove-failures'));
  const bench: Bench = {
    ...options,
    directory,
    tally,
    program: compiled.program('victim'),
    reached: new Map(),
  };
  const parts = [
    ...SCENARIOS.map((scenario) => ({ name: scenario.name, run: () => everyCall(bench, scenario) })),
    { name: 'poison', run: () => poison(bench) },
    { name: 'power cut', run: () => powerCuts(bench) },
    { name: 'Node-RED', run: () => flows(bench, compiled.program('flow-victim')) },
    { name: 'at random', run: () => atRandom(bench) },
  ];
  for (const part of parts.filter(({ name }) => name.includes(options.only))) {
    const before = tally.points;
    await part.run();
    console.error(`${part.name}: ${tally.points - before} crash points`);
  }
  report(bench, Math.round((performance.now() - began) / 1000));
  return tally.fine && tally.points > 0;
}

command(main);
