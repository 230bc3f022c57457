import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { boot, type FlowNode, type Headless } from './index';

/** A palette of one node that fails, shows a status and logs on command. */
const PALETTE = `module.exports = (RED) => RED.nodes.registerType('mimic', class {
  constructor(config) {
    RED.nodes.createNode(this, config);
    this.status({ fill: 'green', text: 'ready ' + (this.credentials || {}).pass });
    this.on('input', (msg, send, done) => {
      if (msg.fail) return done(new Error(msg.fail));
      this.status({ fill: 'yellow', text: String(msg.payload) });
      send(msg);
      done();
    });
  }
}, { credentials: { pass: { type: 'password' } } });`;

const flows: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'test' },
  { id: 'one', type: 'mimic', z: 'tab', wires: [['out']] },
  { id: 'out', type: 'debug', z: 'tab', active: false, wires: [] },
];

describe('headless', () => {
  const redPath = resolve(__dirname, '../..');
  let palette: string;
  let running: Headless | undefined;
  const start = async (http = false): Promise<Headless> => {
    running = await boot({
      flows,
      credentials: { one: { pass: 'word' } },
      projectRoot: palette,
      redPath,
      http,
    });
    return running;
  };

  before(() => {
    palette = mkdtempSync(join(tmpdir(), 'holdfast-palette-'));
    mkdirSync(join(palette, 'nodes'));
    writeFileSync(join(palette, 'nodes', 'mimic.js'), PALETTE);
    writeFileSync(join(palette, 'nodes', 'mimic.html'), '<script type="text/javascript"></script>');
    const manifest = {
      name: 'mimic',
      version: '1.0.0',
      engines: {},
      'node-red': { nodes: { mimic: 'nodes/mimic.js' } },
    };
    writeFileSync(join(palette, 'package.json'), JSON.stringify(manifest));
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });
  after(() => rmSync(palette, { recursive: true }));

  for (const time of ['first', 'second']) {
    it(`boots, runs a message through and stops, the ${time} time`, async () => {
      const red = await start();
      const { userDir } = red;
      assert.equal(red.status('one')?.text, 'ready word');
      red.receive('one', { payload: 'hello' });
      assert.equal((await red.waitFor('out', (msg) => msg.payload === 'hello')).payload, 'hello');
      await red.waitForStatus('one', (status) => status.text === 'hello');
      assert.equal(red.record.completions.filter((done) => done.id === 'one').length, 1);
      await red.stop();
      running = undefined;
      assert.equal(existsSync(userDir), false);
    });
  }

  it('records failures, with the message and in the log', async () => {
    const red = await start();
    red.receive('one', { fail: 'broken pump' });
    const failed = await red.record.until('a failure', () =>
      red.record.completions.find((done) => done.error instanceof Error),
    );
    assert.equal((failed.error as Error).message, 'broken pump');
    assert.match(red.record.errors()[0]?.text ?? '', /broken pump/);
  });

  it('deploys again, and says which node type is missing', async () => {
    const red = await start();
    await red.deploy(flows.map((node) => (node.id === 'one' ? { ...node, name: 'again' } : node)));
    red.receive('one', { payload: 1 });
    await red.waitFor('out');
    const strange = [...flows, { id: 'odd', type: 'no-such-node', z: 'tab', wires: [] }];
    await assert.rejects(red.deploy(strange), /missing-types.*no-such-node/);
  });

  it('serves the admin interface on request', async () => {
    const red = await start(true);
    const response = await fetch(`${red.url}/flows`);
    const text = await response.text();
    assert.match(text, /"mimic"/);
    assert.doesNotMatch(text, /"word"/);
  });

  it('names what it waited for in vain', async () => {
    const red = await start();
    await assert.rejects(
      red.record.until('the end of the world', () => undefined, 10),
      /Not seen within 10 ms: the end of the world/,
    );
  });
});
