/** The dead letters node: tells of messages that failed for good, and replays or removes them. */
import { DEAD_CODES, deadOf, runRequest } from '../../lib/queue/dead';
import type { DeadLetters } from '../../lib/queue/types';
import { defineTrigger, type Note } from '../../lib/roles';
import { chooser } from './choice';
import { readCommand } from './commands';
import { Feed } from './feed';
import { fields } from './fields';

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
  prepare: chooser,
  async start({ config, prepared: chosen, queues, clock, log, store, scope, emit, note }) {
    const { store: local, release } = await queues.use();
    try {
      const dead = deadOf(local);
      const { bounded, maxRecords, maxMegabytes, maxAge } = config;
      if (bounded) await dead.limit({ maxRecords, maxBytes: maxMegabytes * MEGABYTE, maxAgeMs: maxAge });
      const { perSecond } = config;
      const looked = (): Promise<void> => showCount(dead, note);
      const parts = { dead, store, clock, log, scope, chosen, perSecond, emit, looked };
      const feed = await Feed.start(parts);
      return async () => {
        await feed.stop();
        await release();
      };
    } catch (error) {
      await release();
      throw error;
    }
  },
  async input(msg, { queues, clock, emit, note }) {
    const request = readCommand(msg, clock.now());
    // Waits for the opening that `start` began, and needs no order between the two.
    const { store, release } = await queues.use();
    try {
      const dead = deadOf(store);
      const payload = await runRequest(dead, request);
      emit({ ...msg, payload }, 1);
      await showCount(dead, note);
    } finally {
      await release();
    }
  },
});

async function showCount(dead: DeadLetters, note: Note): Promise<void> {
  const { records } = await dead.stats();
  note(`${records} dead ${records === 1 ? 'letter' : 'letters'}`, records > 0 ? 'warn' : 'good');
}
