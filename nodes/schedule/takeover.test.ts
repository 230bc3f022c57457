/** Two real Node-RED processes on one NATS server: one of them runs, and the other goes on when it is killed. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually, startNatsServer, type NatsServer } from '../../test/helpers/nats-server';

interface Told {
  readonly due: string;
  readonly reason: string;
  readonly fence: number;
}

class Process {
  readonly runs: Told[] = [];
  status = '';
  errors = '';
  /** Called in the turn in which a run is told. */
  onRun: () => void = () => undefined;
  readonly #child: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'holdfast-gateway-'));

  constructor(server: string) {
    const program = join(__dirname, '../../test/helpers/schedule-gateway.ts');
    this.#child = spawn(process.execPath, ['--import', 'tsx', program, server, this.#folder], {
      stdio: 'pipe',
    });
    const { stdout, stderr, stdin } = this.#child;
    assert.ok(stdout && stderr && stdin);
    stdin.on('error', () => undefined);
    stderr.on('data', (data) => void (this.errors += String(data)));
    createInterface({ input: stdout }).on('line', (line) => this.#read(line));
  }

  #read(line: string): void {
    if (!line.startsWith('{')) return;
    const { run, status } = JSON.parse(line) as { run?: Told; status?: string };
    if (status !== undefined) this.status = status;
    if (!run) return;
    this.runs.push(run);
    this.onRun();
  }

  /** `ended` is false while it runs. */
  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
  kill(): void {
    this.#child.kill('SIGKILL');
  }
  async stop(): Promise<void> {
    if (this.ended) return;
    const end = once(this.#child, 'close');
    this.#child.stdin?.write('stop\n');
    await end;
  }
  async destroy(): Promise<void> {
    if (!this.ended) {
      const end = once(this.#child, 'close');
      this.kill();
      await end;
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

describe('schedule: two gateways on NATS', () => {
  let server: NatsServer;
  const gateways: Process[] = [];
  const start = (): Process => {
    const gateway = new Process(server.address);
    gateways.push(gateway);
    return gateway;
  };
  /** Generous: two Node-RED start on a loaded machine. */
  const until = async (what: string, condition: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 4; tries += 1) {
      const found = await eventually(() => Promise.resolve(condition())).then(
        () => true,
        () => false,
      );
      if (found) return;
    }
    throw new Error(`${what}: ${gateways.map((one) => `${one.status} ${one.errors}`).join(' | ')}`);
  };
  before(async () => {
    server = await startNatsServer();
  });
  after(async () => {
    for (const gateway of gateways) await gateway.destroy();
    await server.destroy();
  });

  it('run every second once, over SIGKILL of the leader and an orderly stop of its successor', async () => {
    const first = start();
    await until('the first runs', () => first.runs.length >= 2);
    const second = start();
    await until('the second stands by', () => second.status === 'standby');
    await until('the first goes on', () => first.runs.length >= 5);
    // Right after a run, so that none is between its claim and its report.
    first.onRun = () => first.kill();
    await until('the second leads', () => second.runs.length >= 8);
    const third = start();
    await until('the third stands by', () => third.status === 'standby');
    await second.stop();
    await until('the third leads', () => third.runs.length >= 3);
    await third.stop();

    const all = [first, second, third].flatMap(({ runs }) => runs);
    const dues = all.map(({ due }) => Date.parse(due)).toSorted((a, b) => a - b);
    const from = dues[0] ?? 0;
    assert.deepEqual(
      dues,
      dues.map((_, i) => from + i * 1000),
      'each second once',
    );
    assert.ok(
      second.runs.some(({ reason }) => reason === 'missed'),
      'the time until the takeover was made up',
    );
    const fences = [first, second, third].map(({ runs }) => new Set(runs.map(({ fence }) => fence)));
    assert.ok(fences.every(({ size }) => size === 1));
    const numbers = fences.flatMap((one) => [...one]);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      'the fencing number rises',
    );
    assert.equal(new Set(numbers).size, 3);
  }).timeout(240_000);
});
