/** What a do-nothing adapter adds to Node-RED's own hop from one node to the next. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import { interleave } from './measure';
import type { BenchSuite } from './types';

const ROOT = join(__dirname, '..', '..');
const LENGTH = 20;
const MESSAGES = 2000;
const ROUNDS = 9;
const LIMIT_US = 6;

/** A node that passes its message on, written as any other palette would; and an adapter that does the same. */
const NODES = `
module.exports = function (RED) {
  RED.nodes.registerType('bench-pass', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { send(msg); done(); });
  });
  RED.nodes.registerType('bench-end', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { done(); msg.end(); });
  });
  const { register } = require(${JSON.stringify(join(ROOT, 'dist/lib/red/register'))});
  const { defineConnector, defineAdapter } = require(${JSON.stringify(join(ROOT, 'dist/lib/roles'))});
  const connector = defineConnector({
    type: 'bench-nothing-connection', version: 1, label: 'nothing', summary: 'Nothing.', fields: {},
    open: () => Promise.resolve({}), close: () => Promise.resolve(), ping: () => Promise.resolve(),
    classify: (error) => { throw error; },
    simulator: { load: () => Promise.reject(new Error('none')), apply: (config) => config },
  });
  const adapter = defineAdapter({
    type: 'bench-nothing', version: 1, label: 'nothing', summary: 'Nothing.', connector, fields: {},
    effect: () => 'safe', operation: () => 'nothing', call: () => Promise.resolve(undefined),
  });
  register(RED, { type: connector.type, credentials: {}, load: () => connector });
  register(RED, { type: adapter.type, credentials: {}, load: () => adapter });
};`;

function chain(id: string, type: string): FlowNode[] {
  const nodes: FlowNode[] = [];
  for (let i = 0; i < LENGTH; i += 1) {
    const next = i + 1 < LENGTH ? `${id}${i + 1}` : 'end';
    nodes.push({ id: `${id}${i}`, z: 'tab', x: 1, y: 1, type, connection: 'link', wires: [[next]] });
  }
  return nodes;
}

/** One message at a time through the whole chain, so that queueing does not count. Microseconds a hop. */
async function hop(runtime: Headless, first: string): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < MESSAGES; i += 1) {
    await new Promise<void>((end) => runtime.receive(first, { payload: i, end }));
  }
  return ((performance.now() - start) * 1000) / MESSAGES / LENGTH;
}

export const suite: BenchSuite = {
  name: 'hop',
  async run(report) {
    const userDir = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
    mkdirSync(join(userDir, 'nodes'));
    writeFileSync(join(userDir, 'nodes', 'bench.js'), NODES);
    writeFileSync(join(userDir, 'nodes', 'bench.html'), '');
    const flows: FlowNode[] = [
      { id: 'tab', type: 'tab', label: 'bench' },
      { id: 'link', type: 'bench-nothing-connection', name: 'nothing' },
      ...chain('bare', 'bench-pass'),
      ...chain('ours', 'bench-nothing'),
      { id: 'end', z: 'tab', x: 1, y: 1, type: 'bench-end', wires: [] },
    ];
    const runtime = await boot({ flows, userDir });
    try {
      const { bare, ours } = await interleave(
        { bare: () => hop(runtime, 'bare0'), ours: () => hop(runtime, 'ours0') },
        ROUNDS,
      );
      report.figure({
        name: 'hop of a do-nothing adapter',
        ours,
        reference: bare,
        unit: 'µs',
        target: `at most ${LIMIT_US} µs above Node-RED's own hop`,
        ok: ours - bare <= LIMIT_US,
      });
    } finally {
      await runtime.stop();
      rmSync(userDir, { recursive: true, force: true });
    }
  },
};
