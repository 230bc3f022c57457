/** Power cuts: a run is recorded with all it wrote, and at many moments of it only what was synced is sure to be there. */
import { join } from 'node:path';
import { reach, type Bench } from './crash-bench';
import { placeIn, type Place } from './crash-runs';
import { DiskModel } from './disk-model';
import { readSteps, recordingData, type Step } from './disk-recording';
import type { LedgerEvent } from './ledger';
import { pool } from './pool';
import { randomOf } from './random';
import type { Work } from './victim';

const CUTS = 300;
const RUNS: readonly { readonly name: string; readonly work: Partial<Work> }[] = [
  { name: 'small bodies', work: { records: 60 } },
  { name: 'large bodies', work: { records: 40, bytes: 30_000, lag: 20 } },
];

interface Cut {
  readonly place: Place;
  readonly name: string;
}

export async function powerCuts(bench: Bench): Promise<void> {
  for (const run of RUNS) {
    const cuts = bench.quick ? CUTS / 10 : CUTS;
    const source = placeIn(bench.directory, bench.program, `power, ${run.name}`, bench.seed);
    const model = new DiskModel(source.folder);
    const output = join(bench.directory, `power, ${run.name}.strace`);
    await source.run(run.work, { wrapper: recordingData(output) });
    const steps = [...readSteps(output, source.folder)];
    const told = steps.filter((step) => 'event' in step).length;
    if (told !== source.events.length)
      throw new Error(`The recording holds ${told} of ${source.events.length} lines of the ledger.`);
    source.remove();
    await judge(bench, cutsOf(bench, run.name, steps, model, cuts));
  }
}

/** Evenly over the run; never twice between the same two calls. */
function* cutsOf(
  bench: Bench,
  name: string,
  steps: readonly Step[],
  model: DiskModel,
  most: number,
): Generator<Cut> {
  const random = randomOf(bench.seed);
  const events: LedgerEvent[] = [];
  for (const [index, step] of steps.entries()) {
    if ('event' in step) events.push(step.event);
    else model.apply(step.disk);
    if (Math.floor((index * most) / steps.length) === Math.floor(((index + 1) * most) / steps.length))
      continue;
    const place = placeIn(bench.directory, bench.program, `cut ${index}, ${name}`, bench.seed);
    model.materialise(place.folder, random);
    place.events.push(...events);
    yield { place, name: `power cut ${index}, ${name}` };
  }
}

async function judge(bench: Bench, cuts: Iterable<Cut>): Promise<void> {
  await pool(cuts, bench.jobs, async ({ place, name }) => {
    reach(bench, 'power cut');
    bench.tally.add(name, await place.end(), place.events);
  });
}
