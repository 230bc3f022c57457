/** The dead letters node: tells of messages that failed for good, and replays or removes them. */
import { Failure } from '../../lib/core';
import { DEAD_CODES, deadOf, runRequest } from '../../lib/queue/dead';
import type { DeadLetter, DeadLetters } from '../../lib/queue/types';
import { defineTrigger, type Note } from '../../lib/roles';
import { chooser } from './choice';
import { readCommand } from './commands';
import { Feed } from './feed';
import { fields } from './fields';

/** Filled by `start`, used by `input`: both see the same prepared object. */
interface Prepared {
  readonly chosen: (letter: DeadLetter) => boolean;
  dead?: DeadLetters;
}
const MEGABYTE = 1024 * 1024;

export const trigger = defineTrigger({
  type: 'holdfast-dead-letters',
  version: 1,
  label: 'dead letters',
  summary: 'Sends one message for each message that failed for good, and replays or removes them by filter.',
  details: `The first output sends \`payload\` with the facts (\`number\`, \`reason\`, \`kind\`, \`code\`, \`attempts\`, \`firstAt\`,
\`lastAt\`, \`queue\`, \`id\`, \`key\`, \`time\`, \`bytes\`, \`source\`) and \`original\`, the message that failed. Each dead letter
is sent once, also across restarts.

### Commands

\`msg.topic\` is \`list\`, \`show\`, \`replay\` or \`purge\`. \`msg.payload\` is a number, an array of numbers, or a filter such as
\`{"node": "orders", "since": "2h"}\`; conditions are \`numbers\`, \`queue\`, \`node\`, \`code\`, \`kind\`, \`id\`, \`key\`, \`since\` and
\`before\`. To replay or purge everything, say \`{"all": true}\`. The answer leaves through the second output.`,
  inputs: 1,
  outputs: ['Dead letters', 'Answers'],
  fields,
  codes: DEAD_CODES,
  prepare: (config): Prepared => ({ chosen: chooser(config) }),
  async start({ config, prepared, queues, clock, log, store, scope, emit, note }) {
    const { store: local, release } = await queues.use();
    try {
      const dead = deadOf(local);
      const { bounded, maxRecords, maxMegabytes, maxAge } = config;
      if (bounded) await dead.limit({ maxRecords, maxBytes: maxMegabytes * MEGABYTE, maxAgeMs: maxAge });
      const { perSecond } = config;
      const looked = (): Promise<void> => showCount(dead, note);
      const parts = { dead, store, clock, log, scope, chosen: prepared.chosen, perSecond, emit, looked };
      const feed = await Feed.start(parts);
      prepared.dead = dead;
      return async () => {
        delete prepared.dead;
        await feed.stop();
        await release();
      };
    } catch (error) {
      await release();
      throw error;
    }
  },
  async input(msg, { prepared: { dead }, clock, emit, note }) {
    const request = readCommand(msg, clock.now());
    if (!dead) {
      const sentence = 'The store of dead letters is not open yet; send the command again in a moment.';
      throw new Failure('transient', 'QUEUE_UNAVAILABLE', sentence, { reached: false });
    }
    const payload = await runRequest(dead, request);
    await showCount(dead, note);
    emit({ ...msg, payload }, 1);
  },
});

async function showCount(dead: DeadLetters, note: Note): Promise<void> {
  const { records } = await dead.stats();
  note(`${records} dead ${records === 1 ? 'letter' : 'letters'}`, records > 0 ? 'warn' : 'good');
}
