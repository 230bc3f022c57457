/** The queue take node: delivers the messages of a queue. */
import { defineTrigger } from '../../lib/roles';
import { connector } from './connector';
import { readCommand } from './commands';
import type { Taker } from './taker';
import { fields } from './trigger-fields';

/** Shared by `start`, which runs for every session, and `input`. */
interface Prepared {
  paused: boolean;
  /** Whether the pause of the last run was read. */
  known: boolean;
  taker?: Taker;
}

export const trigger = defineTrigger({
  type: 'holdfast-queue-trigger',
  version: 1,
  label: 'queue take',
  summary: 'Delivers the messages of a queue, each until it is acknowledged.',
  details: `A message leaves as it was put, with \`msg.idempotencyKey\` and \`msg.queue\`: \`name\`, \`token\`, \`delivery\` (1 for the first), \`id\`
(the same key), \`key\` (the order key), \`time\` and, after failed deliveries, \`history\`. Let \`msg.queue\` reach an **acknowledge** or a
**reject** node of the same connection; without either, the message comes again when its visibility timeout runs out.

A batch is one message: \`payload\` is the array of the payloads, \`queue\` the array of the deliveries, and \`messages\` holds the
messages themselves. Acknowledge it as a whole, or split \`messages\` and settle each.

### Commands

\`msg.topic\` is \`pause\` or \`resume\`. A pause survives restarts; what is in flight stays in flight.`,
  connector,
  inputs: 1,
  fields,
  prepare: (): Prepared => ({ paused: false, known: false }),

  async start({ config, session, prepared, clock, random, log, store, board, source, scope, emit, note }) {
    if (!prepared.known) prepared.paused = await wasPaused(store.load());
    prepared.known = true;
    const { Taker } = require('./taker') as typeof import('./taker');
    const { Unhealthy } = require('./unhealthy') as typeof import('./unhealthy');
    scope.throwIfAborted();
    const unhealthy = new Unhealthy(board, clock, config.pauseWhile, () => taker.look());
    const taker: Taker = new Taker(
      session,
      {
        inFlight: config.inFlight,
        batch: config.batch,
        visibilityMs: config.visibility,
        pollMs: config.pollEvery,
        retry: { strategy: config.retryPause, firstMs: config.firstPause, longestMs: config.longestPause },
        acknowledge: config.acknowledge,
      },
      {
        clock,
        random,
        log,
        source,
        emit: (msg) => emit(msg),
        note,
        held: () => ({ paused: prepared.paused, unhealthy: unhealthy.name }),
      },
    );
    prepared.taker = taker;
    return async () => {
      if (prepared.taker === taker) delete prepared.taker;
      unhealthy.close();
      await taker.stop();
    };
  },

  async input(msg, { prepared, store }) {
    prepared.paused = readCommand(msg) === 'pause';
    prepared.known = true;
    prepared.taker?.look();
    await store.save({ paused: prepared.paused });
  },
});

/** A damaged document means no pause: messages that wait for ever would be the worse surprise. */
async function wasPaused(loading: Promise<unknown>): Promise<boolean> {
  const stored = await loading.catch(() => undefined);
  return typeof stored === 'object' && stored !== null && 'paused' in stored && stored.paused === true;
}
