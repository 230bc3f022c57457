/** Nothing that happens in a node reaches the process; every refusal reaches Catch. */
import assert from 'node:assert/strict';
import { boot, type FlowNode, type Headless } from '../headless';

const TAB: FlowNode = { id: 'tab', type: 'tab', label: 'bind' };
const place = { z: 'tab', x: 1, y: 1 };
const LINK: FlowNode = {
  id: 'link',
  type: 'holdfast-http-connection',
  name: 'ERP',
  baseUrl: 'http://127.0.0.1:9',
};
const GET: FlowNode = {
  ...place,
  id: 'get',
  type: 'holdfast-http',
  connection: 'link',
  retryStrategy: 'none',
  wires: [['out']],
};
const CATCH: FlowNode[] = [
  { ...place, id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['caught']] },
  { ...place, id: 'caught', type: 'debug', active: false, wires: [] },
  { ...place, id: 'out', type: 'debug', active: false, wires: [] },
];

describe('a node of Node-RED', () => {
  let runtime: Headless;
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    await runtime.stop();
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });

  it('outlives messages that Node-RED cannot report: without a prototype, with a trap, frozen', async () => {
    runtime = await boot({ flows: [TAB, LINK, GET, ...CATCH] });
    await runtime.waitForStatus('get', ({ fill }) => fill === 'red');
    runtime.receive('get', Object.assign(Object.create(null) as object, { payload: 1 }));
    const trap = {
      get error(): never {
        throw new Error('trap');
      },
    };
    runtime.receive('get', Object.defineProperties({}, Object.getOwnPropertyDescriptors(trap)));
    runtime.receive('get', Object.freeze({ payload: 1, _msgid: 'frozen' }));
    runtime.receive('get', { payload: 'last', _msgid: 'last' });
    await runtime.waitFor('caught', (msg) => msg.payload === 'last');
  });

  it('with wrong settings says so at the node, in Catch and in the log once', async () => {
    const wrong = { ...GET, timeout: 'soon' };
    runtime = await boot({ flows: [TAB, LINK, wrong, ...CATCH] });
    const caught = await runtime.waitFor('caught');
    assert.match((caught.error as { message: string }).message, /Timeout must be a duration/);
    assert.match(runtime.status('get')?.text ?? '', /Timeout must be a duration/);
    const lines = runtime.record.logs.filter(({ text }) => text.includes('Timeout must be'));
    assert.equal(lines.length, 1);
  });

  it('names a connection of the wrong type, a missing one and a broken one', async () => {
    const other: FlowNode = { id: 'other', type: 'holdfast-modbus-connection', name: 'PLC', simulate: true };
    const broken: FlowNode = { ...LINK, id: 'broken', baseUrl: '', openTimeout: 'soon' };
    const disabled: FlowNode = { ...LINK, id: 'disabled', d: true };
    const use = (id: string): FlowNode => ({ ...GET, id: `get-${id}`, connection: id });
    const uses = ['other', 'nowhere', 'broken', 'disabled'].map(use);
    runtime = await boot({ flows: [TAB, other, broken, disabled, ...uses, ...CATCH] });
    const text = (id: string): string => runtime.status(`get-${id}`)?.text ?? '';
    assert.match(text('other'), /must be a holdfast-http-connection/);
    assert.match(text('nowhere'), /does not exist or is disabled/);
    assert.match(text('disabled'), /does not exist or is disabled/);
    assert.match(text('broken'), /has wrong settings/);
  });

  it('works in a subflow, with a connection of its own', async () => {
    const link = { ...LINK, type: 'holdfast-modbus-connection', simulate: true, z: 'sub' };
    const read = {
      ...place,
      id: 'read',
      z: 'sub',
      type: 'holdfast-modbus',
      connection: 'link',
      tags: [{ name: 'a', area: 'holding', address: 0, type: 'uint16' }],
      wires: [[]],
    };
    const flows: FlowNode[] = [
      TAB,
      {
        id: 'sub',
        type: 'subflow',
        name: 'sub',
        in: [{ x: 1, y: 1, wires: [{ id: 'read' }] }],
        out: [{ x: 1, y: 1, wires: [{ id: 'read', port: 0 }] }],
      },
      link,
      read,
      { ...place, id: 'one', type: 'subflow:sub', wires: [['out']] },
      { ...place, id: 'two', type: 'subflow:sub', wires: [['out']] },
      ...CATCH,
    ];
    runtime = await boot({ flows });
    runtime.receive('one', { payload: 1 });
    const out = await runtime.waitFor('out');
    assert.ok(Array.isArray(out.payload));
  });

  it('belongs to the runtime that it was started in', async () => {
    const schedule = { ...place, id: 'tick', type: 'holdfast-schedule', wires: [[]] };
    const first = await boot({ flows: [TAB, schedule] });
    await first.stop();
    runtime = await boot({ flows: [TAB, schedule] });
    const { runtimeOf } = require(`${process.cwd()}/dist/lib/red/runtime`) as typeof import('./runtime');
    const RED = { events: runtime.RED.events, settings: { userDir: runtime.userDir } };
    assert.equal(runtimeOf(RED as never).directory, runtime.userDir);
  });
});
