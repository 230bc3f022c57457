/** Kills before every call that changes a file of the store, one call a run. */
import { join } from 'node:path';
import { reach, type Bench } from './crash-bench';
import { killAfter, placeIn, wasKilled, type Place } from './crash-runs';
import { pool } from './pool';
import { between, randomOf } from './random';
import type { Scenario } from './scenarios';
import { injecting, readRecording, recording, type Recording } from './strace';

/** Timing changes the number of calls from run to run; those beyond the last are not counted. */
const MARGIN = 2;

interface Kill {
  readonly call: string;
  readonly when: number;
}

export async function everyCall(bench: Bench, scenario: Scenario): Promise<void> {
  const template = await prepare(bench, scenario);
  const seen = await rehearse(bench, scenario, template);
  const random = randomOf(bench.seed);
  await pool(killsOf(bench, seen), bench.jobs, async ({ call, when }) => {
    const name = `${scenario.name}, ${call} ${when}`;
    const place = template.copy(join(bench.directory, name));
    if (await killAt(place, seen.paths, { call, when }, scenario.work)) reach(bench, call);
    // Every fourth is killed again while it recovers.
    if (random() < 0.25) await killRecovery(bench, place, seen.paths, between(random, 1, 12));
    bench.tally.add(name, await place.end(), place.events);
  });
  template.remove();
}

async function prepare(bench: Bench, { name, before }: Scenario): Promise<Place> {
  const place = placeIn(bench.directory, bench.program, `${name} template`, bench.seed);
  for (const { work, killAfter: events } of before)
    await place.run(work, events === undefined ? {} : killAfter(events));
  return place;
}

/** Which calls on which files a run makes that nobody kills. */
async function rehearse(bench: Bench, scenario: Scenario, template: Place): Promise<Recording> {
  const place = template.copy(join(bench.directory, `${scenario.name} rehearsal`));
  const output = join(bench.directory, `${scenario.name}.strace`);
  await place.run(scenario.work, { wrapper: recording(output) });
  const seen = readRecording(output, place.folder);
  bench.tally.add(`${scenario.name}, not killed`, await place.end(), place.events);
  return { counts: seen.counts, paths: seen.paths.map((path) => path.slice(place.folder.length)) };
}

function killsOf({ quick, seed }: Bench, { counts }: Recording): Kill[] {
  const kills = [...counts].flatMap(([call, calls]) =>
    Array.from({ length: calls + MARGIN }, (_, index) => ({ call, when: index + 1 })),
  );
  return quick ? kills.filter((_, index) => index % 10 === seed % 10) : kills;
}

async function killRecovery(
  bench: Bench,
  place: Place,
  paths: readonly string[],
  when: number,
): Promise<void> {
  const call = when % 3 === 0 ? 'fdatasync' : 'pwrite64';
  if (await killAt(place, paths, { call, when }, { records: 6, first: 1_000_000 }))
    reach(bench, `${call} once more`);
}

async function killAt(
  place: Place,
  paths: readonly string[],
  { call, when }: Kill,
  work: Scenario['work'],
): Promise<boolean> {
  const files = paths.map((path) => place.folder + path);
  return wasKilled(
    await place.run(work, { wrapper: injecting(files, call, 'signal=SIGKILL', String(when)) }),
  );
}
