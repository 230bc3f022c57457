/** Settings of the schedule node. */
import { bool, choice, duration, int, table, text, typed } from '../../lib/spec';

export const fields = {
  schedules: table({
    label: 'Schedules',
    help: 'Each row is due by its own cron expression or interval and sends its own payload.',
    minRows: 1,
    maxRows: 200,
    unique: ['name'],
    columns: {
      name: text({
        label: 'Name',
        help: 'Names the schedule in messages, in the ledger and in commands.',
        default: '',
        maxLength: 80,
        placeholder: 'Shift report',
      }),
      kind: choice({
        label: 'Kind',
        help: 'Whether the schedule follows the clock on the wall or a fixed interval.',
        default: 'cron',
        options: { cron: 'Cron expression', interval: 'Interval' },
      }),
      when: text({
        label: 'When',
        help: 'Five or six cron fields such as "0 6 * * mon-fri" or "@hourly", or an interval such as "15m".',
        default: '',
        maxLength: 200,
        placeholder: '0 6 * * mon-fri',
      }),
      payload: typed({
        label: 'Payload',
        help: 'What msg.payload holds.',
        default: { type: 'date', value: '' },
        types: ['date', 'str', 'num', 'bool', 'json'],
      }),
      topic: text({
        label: 'Topic',
        help: 'What msg.topic holds; the name when empty.',
        default: '',
        optional: true,
        maxLength: 1000,
      }),
    },
    default: [
      { name: 'Every minute', kind: 'cron', when: '* * * * *', payload: '', payloadType: 'date', topic: '' },
    ],
  }),
  timeZone: text({
    label: 'Time zone',
    help: 'IANA name of the zone in which cron expressions are read. Empty means the zone of the runtime.',
    default: '',
    optional: true,
    maxLength: 64,
    placeholder: 'Europe/Berlin',
  }),
  dst: choice({
    label: 'Clock changes',
    help: 'What happens to times that the clock leaps over in spring and shows twice in autumn. Expressions that name no hour follow elapsed time and are not concerned.',
    default: 'once',
    options: {
      skip: 'Skip missing times, run repeated times once',
      once: 'Run missing times right after the leap, repeated times once',
      both: 'Run missing times right after the leap, repeated times twice',
    },
  }),
  missed: choice({
    label: 'Missed runs',
    help: 'What happens to runs that were due while the node was stopped, or that the system clock jumped over.',
    default: 'none',
    options: {
      none: 'Skip',
      last: 'Run the last one',
      limited: 'Run the last few',
      all: 'Run all (at most 1,000)',
    },
  }),
  missedLimit: int({
    label: 'Missed runs to make up',
    help: 'The newest missed runs of each schedule, oldest first.',
    default: 10,
    min: 1,
    max: 1000,
    unit: 'runs',
    showWhen: { missed: ['limited'] },
  }),
  jitter: duration({
    label: 'Jitter',
    help: 'Delays each run by a random time up to this, so that many gateways do not call at the same moment. A run is never delayed beyond the next one.',
    default: '0s',
    min: '0s',
    max: '1h',
  }),
  runOnDeploy: bool({
    label: 'Run on deploy',
    help: 'Runs every schedule once when the node starts.',
    default: false,
  }),
  ledgerSize: int({
    label: 'Ledger size',
    help: 'How many decisions (ran, skipped and why) are kept. The oldest make room.',
    default: 100,
    min: 0,
    max: 5000,
    unit: 'entries',
  }),
};
