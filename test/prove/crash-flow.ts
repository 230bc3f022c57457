/** A real Node-RED, killed at random while its flow puts, takes and acknowledges; what it leaves is drained and judged. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './check';
import { ROOT } from './compile';
import { reach, type Bench } from './crash-bench';
import { killAfter, wasKilled } from './crash-runs';
import type { FlowWork } from './flow-victim';
import type { LedgerEvent } from './ledger';
import { pool } from './pool';
import { run, type Outcome } from './process';
import { between, randomOf } from './random';
import { DRAIN, workOf } from './scenarios';

const KILLS = 60;
/** Kills in one user directory before it is drained. */
const CHAIN = 15;
const WINDOW = 8;

export async function flows(bench: Bench, flowProgram: string): Promise<void> {
  const kills = bench.quick ? CHAIN : KILLS;
  const chains = Array.from({ length: kills / CHAIN }, (_, index) => index);
  await pool(chains, bench.jobs, async (chain) => {
    const name = `Node-RED, chain ${chain}`;
    const random = randomOf(bench.seed * 77 + chain);
    const userDir = join(bench.directory, name);
    mkdirSync(userDir);
    const events: LedgerEvent[] = [];
    const faults: string[] = [];
    const hear = (outcome: Outcome): void => {
      for (const event of outcome.events) events.push(event);
      const { code, signal, hung, errors } = outcome;
      if (hung) faults.push(`Node-RED told nothing more. ${errors}`);
      else if (signal !== 'SIGKILL' && code !== 0) faults.push(`It ended with ${code ?? ''}: ${errors}`);
    };
    for (let kill = 0; kill < CHAIN; kill += 1) {
      const work: FlowWork = {
        ...{ root: ROOT, userDir, seed: bench.seed + kill, first: 10_000 * kill + 1, records: 2000 },
        ...{ keys: 5, puts: 16, window: WINDOW },
      };
      const outcome = await run(flowProgram, work, killAfter(between(random, 3, 1500)));
      hear(outcome);
      if (wasKilled(outcome) && !outcome.hung) reach(bench, 'Node-RED at random');
    }
    hear(
      await run(bench.program, workOf({ ...DRAIN, foreign: true }, join(userDir, 'holdfast'), bench.seed)),
    );
    const verdict = check(events, { window: WINDOW });
    bench.tally.add(name, { ...verdict, wrong: [...verdict.wrong, ...faults] }, events);
  });
}
