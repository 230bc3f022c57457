import { Failure, type Message } from '../../lib/core';

const COMMANDS = ['pause', 'resume'] as const;
export type Command = (typeof COMMANDS)[number];

/** `msg.topic` is the command; `msg.payload` may be it as well. */
export function readCommand({ topic, payload }: Message): Command {
  const found = COMMANDS.find((one) => one === topic) ?? COMMANDS.find((one) => one === payload);
  if (found) return found;
  throw new Failure(
    'rejected',
    'BAD_MESSAGE',
    'The message is no command. Set msg.topic to "pause" or "resume"; messages are put into a queue by the queue put node.',
    { reached: false },
  );
}
