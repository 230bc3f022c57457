/** A message that kills every process that takes it becomes a dead letter in the end, and the rest goes on. */
import { reach, type Bench } from './crash-bench';
import { placeIn, wasKilled } from './crash-runs';

const MOST_DELIVERIES = 3;
const POISON = 5;
/** Kills after which it should have been given up long ago. */
const MOST_KILLS = 10;

export async function poison(bench: Bench): Promise<void> {
  const place = placeIn(bench.directory, bench.program, 'poison', bench.seed);
  const work = { maxDeliveries: MOST_DELIVERIES, poison: POISON, perKey: 1, mixed: false };
  let kills = 0;
  while (kills < MOST_KILLS && wasKilled(await place.run({ ...work, records: 20, first: 1 + kills * 100 }))) {
    kills += 1;
    reach(bench, 'by a message');
  }
  const verdict = await place.end(MOST_DELIVERIES);
  const drained = place.events.find((event) => event.e === 'drained');
  const dead = drained?.dead.map((id) => Number(id.split('-')[1])) ?? [];
  const wrong = [...verdict.wrong];
  if (kills !== MOST_DELIVERIES) wrong.push(`It killed ${kills} processes, not ${MOST_DELIVERIES}.`);
  if (!dead.includes(POISON)) wrong.push('The message that kills is no dead letter.');
  bench.tally.add('poison', { ...verdict, wrong }, place.events);
}
