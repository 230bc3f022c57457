/** The reject node: gives a message back to its queue, or makes it a dead letter. */
import { defineAdapter } from '../../lib/roles';
import { choice, duration, typed } from '../../lib/spec';
import { connector, settledResult, settlingFields, tokensOf } from '../queue/connector';
import { attemptOf } from './reason';

export const adapter = defineAdapter({
  type: 'holdfast-reject',
  version: 1,
  label: 'reject',
  summary: 'Gives a message back to its queue to be delivered again later, or makes it a dead letter.',
  details: `Put it behind a Catch node. The reason (\`msg.failure\`, else what Catch set as \`msg.error\`) goes into the history of the
message and, in the end, into its dead letter. A message that was delivered as often as its queue allows becomes one by itself.`,
  connector,
  forward: false,
  codes: {
    REJECTED_BY_FLOW: 'A flow gave the message back to its queue, or made it a dead letter.',
  },
  fields: {
    action: choice({
      label: 'Action',
      help: 'A message that can succeed later goes back. One that never will is better looked at by a person.',
      default: 'back',
      options: { back: 'Give it back', deadLetter: 'Make it a dead letter at once' },
    }),
    pause: choice({
      label: 'Pause before a repeat',
      help: 'How long the message rests. The queue take node makes the pause longer with each delivery.',
      default: 'take',
      options: { take: 'As the queue take node says', fixed: 'Fixed' },
      showWhen: { action: ['back'] },
    }),
    pauseFor: duration({
      label: 'Pause',
      help: 'The message is not delivered before this time has passed.',
      default: '10s',
      min: '0s',
      max: '7d',
      showWhen: { pause: ['fixed'] },
    }),
    reason: typed({
      label: 'Reason',
      help: 'A text, or the failure that a Holdfast node set. When it is empty, what a Catch node set as msg.error.',
      default: { type: 'msg', value: 'failure' },
      types: ['msg', 'str', 'jsonata'],
    }),
    ...settlingFields,
  },
  effect: () => 'idempotent',
  operation: ({ action }) => (action === 'back' ? 'give back' : 'dead letter'),

  async call({ values, msg, session, call, clock, source }) {
    const tokens = tokensOf(values.delivery, session.queue.name);
    const attempt = attemptOf(values.reason, msg, clock.now(), source);
    const delay = values.pause === 'fixed' ? values.pauseFor : undefined;
    const settle = (token: string): Promise<boolean> =>
      values.action === 'deadLetter'
        ? session.bury(token, attempt, call)
        : session.giveBack(token, attempt, delay, call);
    return settledResult(await Promise.all(tokens.map(settle)), values.whenLost);
  },
});
