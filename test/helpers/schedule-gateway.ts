/** A gateway of its own process for nodes/schedule/takeover.test.ts: tells each run and each status on its standard output. */
import { boot } from '../../lib/headless';

/** The address of the NATS server, and a folder that whoever started it removes. */
const [server, userDir = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const red = await boot({
    userDir,
    flows: [
      { id: 'tab', type: 'tab', label: 'group' },
      {
        id: 'link',
        type: 'holdfast-queue-connection',
        configVersion: 1,
        store: 'nats',
        queue: 'group',
        servers: [server],
        encrypt: false,
      },
      {
        id: 'schedule',
        type: 'holdfast-schedule',
        z: 'tab',
        configVersion: 1,
        coordinator: 'link',
        schedules: [
          { name: 'tick', kind: 'cron', when: '* * * * * *', payload: '', payloadType: 'date', topic: '' },
        ],
        timeZone: 'UTC',
        missed: 'all',
        leaseTime: '5s',
        wires: [['runs'], []],
      },
      { id: 'runs', type: 'debug', z: 'tab', active: false, wires: [] },
    ],
  });
  let told = 0;
  let status = '';
  // Asked after everything that happens; it never finds what would end it.
  const tell = (): undefined => {
    const runs = red.record.received('runs');
    for (const msg of runs.slice(told)) say({ run: msg['schedule'] });
    told = runs.length;
    const text = red.status('schedule')?.text ?? '';
    if (text !== status) say({ status: (status = text) });
    return undefined;
  };
  void red.record.until('the end', tell, 600_000).catch(() => undefined);
  process.stdin.once('data', () => {
    void red.stop().then(() => process.exit(0));
  });
  // Whoever started it is gone.
  process.stdin.once('end', () => process.exit(0));
}

/** Written before anything else happens: a process that is killed has said what it did. */
function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

void main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
