/** The once node: lets the first message of a key pass. */
import { defineMapper, Routed } from '../../lib/roles';
import { fields } from './fields';
import { keySource } from './key';
import { Memory, openDurable, openVolatile } from './memory';

export const mapper = defineMapper({
  type: 'holdfast-once',
  version: 1,
  label: 'once per key',
  summary: 'Lets the first message of each key pass and sends repetitions to the second output.',
  details: `The key is written down before the message goes on. When the flow behind fails, or Node-RED stops right then, a repetition
counts as one: behind this node a message is processed at most once. Where a failed message shall come again, send it back
here with \`msg.once = "forget"\` before it is rejected: its key is forgotten, and nothing is sent.

\`msg.once = "clear"\` forgets all keys. While the store cannot be used, messages fail; none passes unchecked.`,
  outputs: ['First', 'Duplicates'],
  fields,
  prepare({ config, id, clock, queues, evaluate }) {
    const options = { windowMs: config.window, maxKeys: config.maxKeys };
    const keyOf = keySource(config.key, evaluate);
    const memory = new Memory(() =>
      config.memory === 'file' ? openDurable(queues, id, options) : openVolatile(clock, id, options),
    );
    return {
      async map(msg) {
        if (msg.once === 'clear') return void (await (await memory.keys()).clear());
        const key = await keyOf(msg);
        const keys = await memory.keys();
        if (msg.once === 'forget') return void (await keys.forget(key));
        return (await keys.claim(key)) ? msg : new Routed(msg, 1);
      },
      close: () => memory.close(),
    };
  },
});
