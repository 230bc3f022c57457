/** Through Node-RED itself, with the store on disk. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '../../lib/core';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import { openFileStore } from '../../lib/queue/file/store';
import { addDead } from '../../test/helpers/dead-letters';

const FLOWS: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'test' },
  { id: 'dead', type: 'holdfast-dead-letters', z: 'tab', x: 1, y: 1, wires: [['out'], ['answer']] },
  { id: 'out', type: 'debug', z: 'tab', x: 1, y: 1, active: false, wires: [] },
  { id: 'answer', type: 'debug', z: 'tab', x: 1, y: 1, active: false, wires: [] },
];
const ROOT = join(__dirname, '..', '..');

describe('dead letters: in Node-RED', () => {
  let userDir: string;
  let red: Headless | undefined;

  const start = async (): Promise<Headless> => {
    red = await boot({ flows: FLOWS, userDir });
    await red.waitForStatus('dead', ({ text }) => /dead letter/.test(text ?? ''));
    return red;
  };
  const stop = async (): Promise<void> => {
    await red?.stop();
    red = undefined;
  };
  const die = async (...ids: string[]): Promise<void> => {
    const folder = join(userDir, 'holdfast');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const store = await openFileStore({
      path: join(folder, 'queues.db'),
      clock: systemClock,
      log: silentLog,
    });
    for (const id of ids) if (store.dead) await addDead(store.dead, { id });
    await store.close();
  };
  /** The command in a process of its own, as a person runs it. */
  const command = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
    const cli = join(ROOT, 'dist', 'lib', 'headless', 'cli.js');
    const child = spawn(process.execPath, [cli, 'dead-letters', ...args, '-u', userDir]);
    let text = '';
    child.stdout.on('data', (data) => (text += String(data)));
    child.stderr.on('data', (data) => (text += String(data)));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, text };
  };
  const sent = (): string[] =>
    (red?.record.received('out') ?? []).map(({ payload }) => (payload as { id: string }).id);

  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), 'holdfast-dead-'));
  });
  afterEach(async () => {
    await stop();
    rmSync(userDir, { recursive: true });
  });

  it('sends each letter once across restarts', async () => {
    await start();
    await stop();
    await die('a', 'b');
    const second = await start();
    await second.record.until('two letters', () => sent().length === 2);
    assert.deepEqual(sent(), ['a', 'b']);
    await stop();
    await die('c');
    const third = await start();
    await third.record.until('one letter', () => sent().length > 0);
    assert.deepEqual(sent(), ['c']);
  });

  it('is reached by the command while it runs and when it does not', async () => {
    await die('a', 'b', 'c');
    const alone = await command('purge', '1');
    assert.deepEqual(alone, { code: 0, text: '1 dead letter removed.\n' });
    const running = await start();
    const [shown, listed] = await Promise.all([command('show', '2', '--text'), command('list')]);
    assert.deepEqual(shown, { code: 0, text: '{"payload":1}\n' });
    assert.match(listed.text, /2 shown of 2 dead letters/);
    assert.deepEqual(await command('replay', '2'), {
      code: 0,
      text: '1 dead letter put back into the queues.\n',
    });
    running.receive('dead', { topic: 'list' });
    const { payload } = await running.waitFor('answer');
    assert.equal((payload as { letters: unknown[] }).letters.length, 1);
    await stop();
    assert.deepEqual(await command('purge', '--yes'), { code: 0, text: '1 dead letter removed.\n' });
  });
});
