/** Settings of the queue take node. */
import { choice, duration, int, list } from '../../lib/spec';

export const fields = {
  acknowledge: choice({
    label: 'Acknowledge',
    help: 'By an acknowledge node a message is done when your flow says so, and comes again otherwise. When it is sent, a message is never repeated, and lost when the flow fails with it.',
    default: 'node',
    options: { node: 'By an acknowledge node', sent: 'When it is sent (at most once)' },
  }),
  inFlight: int({
    label: 'Most in flight',
    help: 'So many messages may be out without having been acknowledged. When it is reached, no more are taken.',
    default: 100,
    min: 1,
    max: 10_000,
    unit: 'messages',
  }),
  batch: int({
    label: 'Batch size',
    help: 'With more than one, messages that wait leave together: msg.payload is the array of their payloads. A batch does not wait to become full.',
    default: 1,
    min: 1,
    max: 1000,
    unit: 'messages',
  }),
  visibility: duration({
    label: 'Visibility timeout',
    help: 'A message that is neither acknowledged nor rejected within this time is delivered again. Longer than the slowest flow takes.',
    default: '1m',
    min: '100ms',
    max: '1d',
    showWhen: { acknowledge: ['node'] },
  }),
  pollEvery: duration({
    label: 'Poll interval',
    help: 'A broker is asked this often for messages that another gateway stored. The local file and memory tell by themselves.',
    default: '1s',
    min: '50ms',
    max: '1h',
  }),
  retryPause: choice({
    label: 'Pause before a repeat',
    help: 'How long a message rests that a reject node gave back without a pause of its own.',
    default: 'doubling',
    options: { none: 'None', fixed: 'Fixed', doubling: 'Doubling with jitter' },
    showWhen: { acknowledge: ['node'] },
  }),
  firstPause: duration({
    label: 'First pause',
    help: 'The pause after the first delivery that failed.',
    default: '1s',
    min: '1ms',
    max: '1d',
    showWhen: { retryPause: ['fixed', 'doubling'] },
  }),
  longestPause: duration({
    label: 'Longest pause',
    help: 'Pauses do not grow beyond this.',
    default: '5m',
    min: '1ms',
    max: '7d',
    showWhen: { retryPause: ['doubling'] },
  }),
  pauseWhile: list({
    label: 'Pause while unhealthy',
    help: 'Names or ids of connections. While one of them is unhealthy nothing is taken; it goes on by itself when all work again.',
    default: [],
    maxItems: 50,
  }),
} as const;
