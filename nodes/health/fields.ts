/** Settings of the health node. */
import { choice, duration, int, list, number, table, text } from '../../lib/spec';

export const fields = {
  connections: list({
    label: 'Connections',
    help: 'Names of the connections to watch. Leave the list empty to watch all of them.',
    default: [],
    maxItems: 200,
    optional: true,
  }),
  interval: duration({
    label: 'Report interval',
    help: 'How often a report is sent when nothing changes. Leave it empty to report changes only.',
    default: '1m',
    min: '1s',
    max: '1d',
    optional: true,
  }),
  rules: table({
    label: 'Alert rules',
    help: 'Conditions that raise an alert on the second output and clear it again. Every rule watches each connection by itself.',
    maxRows: 50,
    unique: ['name'],
    columns: {
      name: text({
        label: 'Name',
        help: 'Appears in the alert and in its id.',
        default: '',
        maxLength: 80,
        placeholder: 'Link down',
      }),
      condition: choice({
        label: 'Condition',
        help: 'What the rule looks at: the state, the share of failed calls or the mean latency of the last minute.',
        default: 'unhealthy',
        options: { unhealthy: 'Unhealthy', errorRate: 'Error rate above (%)', latency: 'Latency above (ms)' },
      }),
      above: number({
        label: 'Limit',
        help: 'Percent of failed calls for an error rate, milliseconds for a latency.',
        default: 10,
        min: 0,
        showWhen: { condition: ['errorRate', 'latency'] },
      }),
      minCalls: int({
        label: 'Minimum calls',
        help: 'With fewer calls in the last minute an error rate or a latency says too little and raises nothing.',
        default: 10,
        min: 1,
        max: 1_000_000,
        showWhen: { condition: ['errorRate', 'latency'] },
      }),
      raiseAfter: duration({
        label: 'Raise after',
        help: 'How long the condition must hold without a break before the alert is raised.',
        default: '30s',
        min: '0s',
        max: '1d',
      }),
      clearAfter: duration({
        label: 'Clear after',
        help: 'How long the condition must be over without a break before the alert is cleared.',
        default: '30s',
        min: '0s',
        max: '1d',
      }),
    },
    default: [
      {
        name: 'Link down',
        condition: 'unhealthy',
        raiseAfter: '30s',
        clearAfter: '30s',
      },
    ],
  }),
};
