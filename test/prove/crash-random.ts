/** Kills at random under load: the ledger's lines, not time, say when. */
import { reach, type Bench } from './crash-bench';
import { killAfter, placeIn, wasKilled } from './crash-runs';
import { pool } from './pool';
import { between, randomOf } from './random';

const KILLS = 500;
/** Kills in one folder before it is drained. */
const CHAIN = 25;

export async function atRandom(bench: Bench): Promise<void> {
  const kills = bench.quick ? KILLS / 10 : KILLS;
  const chains = Array.from({ length: Math.ceil(kills / CHAIN) }, (_, index) => index);
  await pool(chains, bench.jobs, async (chain) => {
    const name = `at random, chain ${chain}`;
    const random = randomOf(bench.seed * 1000 + chain);
    const place = placeIn(bench.directory, bench.program, name, bench.seed + chain);
    for (let kill = 0, tries = 0; kill < CHAIN && tries < 2 * CHAIN; tries += 1) {
      // One in ten dies while it opens the store.
      const events = random() < 0.1 ? between(random, 1, 3) : between(random, 3, 400);
      const lag = between(random, 0, 100);
      const work = { first: 1000 * tries + 1, records: 300, puts: 16, lag, keys: 6 };
      if (!wasKilled(await place.run(work, killAfter(events)))) continue;
      kill += 1;
      reach(bench, 'at random');
    }
    bench.tally.add(name, await place.end(), place.events);
  });
}
