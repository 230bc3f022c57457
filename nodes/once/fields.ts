/** Settings of the once node. */
import { choice, duration, int, typed } from '../../lib/spec';

export const fields = {
  key: typed({
    label: 'Key',
    help: 'What makes two messages the same, a text or a number. A message without one fails: guessing would drop the wrong messages.',
    default: { type: 'msg', value: 'idempotencyKey' },
    types: ['msg', 'jsonata'],
  }),
  window: duration({
    label: 'Window',
    help: 'For how long a key is remembered. Only time during which Node-RED ran counts.',
    default: '1d',
    min: '1s',
    max: '365d',
  }),
  maxKeys: int({
    label: 'Most keys',
    help: 'How many keys are remembered. When there are more, the oldest are forgotten before their window ends.',
    default: 100_000,
    min: 1,
    max: 10_000_000,
    unit: 'keys',
  }),
  memory: choice({
    label: 'Remember',
    help: 'In the local file a key survives restarts and power cuts. Memory is faster and empty after every deployment.',
    default: 'file',
    options: { file: 'In the local file', memory: 'In memory' },
  }),
} as const;
