/** The schedule node: sends messages by cron expressions and intervals, and accounts for every one. */
import { hostname } from 'node:os';
import { Failure } from '../../lib/core';
import { defineTrigger } from '../../lib/roles';
import { Engine, type Plan } from './engine';
import { readCommand } from './commands';
import { fields } from './fields';
import { Lead } from './lead';
import { planOf } from './plan';

/** Filled by `start`, used by `input`: both see the same prepared object. */
interface Prepared {
  readonly plan: Plan;
  engine?: Engine;
}

export const trigger = defineTrigger({
  type: 'holdfast-schedule',
  version: 1,
  label: 'schedule',
  summary:
    'Sends messages by cron expressions and intervals, and keeps a ledger of what ran, what did not, and why.',
  details: `Each run sends \`payload\`, \`topic\` and \`schedule\`: \`name\`, \`due\`, \`fired\`, \`late\` (ms) and \`reason\`
(\`schedule\`, \`gap\`, \`missed\`, \`deploy\` or \`message\`). The second output sends every decision as it is made.
Where one gateway runs for all, \`schedule.fence\` is the number of its lease: it rises with every takeover, so a
system that remembers the highest number can refuse a gateway that was frozen.

### Commands

\`msg.topic\` is \`run\`, \`pause\`, \`resume\` or \`ledger\`. \`msg.payload\` names one schedule, or several in an array;
without a name the command concerns all. A message whose payload or topic is the name of a schedule runs it now.
The answer to \`ledger\` leaves through the second output: \`payload.schedules\` and \`payload.entries\`.`,
  inputs: 1,
  outputs: ['Runs', 'Ledger'],
  fields,
  prepare: (config): Prepared => ({ plan: planOf(config) }),
  coordinated: true,
  async start({ config, prepared, clock, random, log, store, emit, note, source, coordinator }) {
    const stored = await store.load().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`The last runs cannot be read, so missed runs are not known: ${why}`);
      return undefined;
    });
    const lead =
      coordinator &&
      new Lead({
        coordinator,
        clock,
        log,
        group: config.group || source.node,
        holder: hostname(),
        ttlMs: config.leaseTime,
        aloneAfterMs: config.whenUnreachable === 'alone' ? config.aloneAfter : undefined,
      });
    const engine = new Engine(prepared.plan, { clock, random, log, store, emit, note, lead }, stored);
    prepared.engine = engine;
    return () => {
      delete prepared.engine;
      return engine.stop();
    };
  },
  input: (msg, { prepared: { engine } }) =>
    new Promise((resolve) => {
      if (!engine) {
        const sentence = 'The schedule is not running yet; send the command again in a moment.';
        throw new Failure('transient', 'NOT_CONNECTED', sentence, { reached: false });
      }
      engine.obey(readCommand(msg, engine.names));
      resolve();
    }),
});
