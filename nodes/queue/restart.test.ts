/** The nodes in a real Node-RED on the local file, over restarts of the runtime. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import type { Delivered } from '../../test/helpers/queue-flow';

const node = (id: string, type: string, more: object, wires: readonly string[] = []): FlowNode => ({
  id,
  type,
  z: 'tab',
  configVersion: 1,
  ...more,
  wires: [wires],
});
const flows: readonly FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'test' },
  { id: 'link', type: 'holdfast-queue-connection', configVersion: 1, store: 'file', queue: 'pieces' },
  node('put', 'holdfast-queue', { connection: 'link' }),
  node('take', 'holdfast-queue-trigger', { connection: 'link', inFlight: 2 }, ['work']),
  // Lets through what it is told to; the rest stays in flight.
  node('work', 'function', { func: 'return msg.payload === 0 ? msg : null;', outputs: 1, libs: [] }, ['end']),
  node('end', 'holdfast-acknowledge', { connection: 'link' }),
  {
    ...node('once', 'holdfast-once', { key: 'payload', keyType: 'msg' }),
    wires: [['first'], ['again']],
  },
  node('first', 'debug', { active: false }),
  node('again', 'debug', { active: false }),
];

describe('queue in Node-RED', () => {
  let userDir: string;
  let red: Headless | undefined;
  const start = async (): Promise<Headless> => (red = await boot({ flows, userDir }));
  const stop = async (): Promise<void> => {
    const last = red;
    red = undefined;
    await last?.stop();
  };
  const completed = (id: string, count: number): Promise<unknown> =>
    red?.record.until(`${count} done at ${id}`, () => {
      const all = red?.record.completions.filter((one) => one.id === id) ?? [];
      for (const { error } of all) assert.ifError(error);
      return all.length >= count;
    }) ?? Promise.reject(new Error('Node-RED does not run.'));
  const taken = (count: number): Promise<readonly (readonly [unknown, Delivered])[]> =>
    red?.record.until(`${count} messages taken`, () => {
      const all = red?.record.received('work') ?? [];
      return all.length >= count && all.map((msg) => [msg.payload, msg['queue'] as Delivered] as const);
    }) ?? Promise.reject(new Error('Node-RED does not run.'));

  before(() => {
    userDir = mkdtempSync(join(tmpdir(), 'holdfast-queue-'));
  });
  afterEach(stop);
  after(() => rmSync(userDir, { recursive: true }));

  it('delivers after a restart what was not acknowledged, in order and with the same ids', async () => {
    const first = await start();
    for (let payload = 0; payload < 4; payload += 1) first.receive('put', { payload });
    await completed('put', 4);
    await completed('end', 1);
    const before = await taken(3);
    assert.deepEqual(
      before.map(([payload]) => payload),
      [0, 1, 2],
    );
    await stop();
    await start();
    const after = await taken(2);
    assert.deepEqual(
      after.map(([payload, { id, delivery }]) => [payload, id, delivery]),
      before.slice(1).map(([payload, { id }]) => [payload, id, 1]),
    );
  });

  it('stays paused over a restart until it is resumed', async () => {
    const first = await start();
    await taken(2);
    first.receive('take', { topic: 'pause' });
    await completed('take', 1);
    await stop();
    const second = await start();
    await second.waitForStatus('take', ({ text }) => text?.includes('paused, 3 waiting') === true);
    assert.equal(second.record.received('work').length, 0);
    second.receive('take', { topic: 'resume' });
    await taken(2);
  });

  it('remembers keys over a restart', async () => {
    const first = await start();
    first.receive('once', { payload: 'A1' });
    await first.waitFor('first');
    await stop();
    const second = await start();
    second.receive('once', { payload: 'A1' });
    await second.waitFor('again');
    second.receive('once', { payload: 'A2' });
    assert.equal((await second.waitFor('first')).payload, 'A2');
  });
});
