/** `npm run prove:model`: random sequences of actions and crashes on every store, against a model of a queue. */
import { parseArgs } from 'node:util';
import { prove, type Range } from './model/prove';
import { STORES } from './model/stores';
import { table } from './table';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    from: { type: 'string', default: '0' },
    store: { type: 'string', default: Object.keys(STORES).join(',') },
  },
});

function whole(name: 'seed' | 'count' | 'from'): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`--${name} must be a whole number.`);
}

async function main(): Promise<boolean> {
  const range: Range = { seed: whole('seed'), from: whole('from'), count: whole('count') };
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const rows: (string | number)[][] = [];
  const shown: string[] = [];
  for (const name of values.store.split(',')) {
    if (stop.signal.aborted) break;
    const store = STORES[name];
    if (!store) throw new Error(`There is no store "${name}"; there are ${Object.keys(STORES).join(', ')}.`);
    const began = performance.now();
    const {
      sequences,
      actions,
      crashes,
      violations,
      shown: some,
    } = await prove(name, store, range, stop.signal);
    const seconds = Math.round((performance.now() - began) / 1000);
    rows.push([name, sequences, actions, crashes, violations, seconds]);
    shown.push(...some);
  }
  console.log(`seed ${range.seed}`);
  console.log(table(['store', 'sequences', 'actions', 'crashes', 'violations', 'seconds'], rows));
  for (const text of shown) console.log(`\n${text}`);
  return shown.length === 0 && !stop.signal.aborted;
}

main().then(
  (fine) => void (process.exitCode = fine ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
