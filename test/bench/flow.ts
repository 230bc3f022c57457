/** Messages through Node-RED and the durable queue: queue put to queue take, each record on disk with synchronous FULL. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import { median } from './measure';
import type { BenchSuite, Report } from './types';

const MESSAGES = 100_000;
const ROUNDS = 3;
/** Messages sent and not yet arrived; a source that waits for `done` would bound itself in the same way. */
const OUTSTANDING = 4000;
const LEAST_RATE = 25_000;

const NODES = `
module.exports = function (RED) {
  RED.nodes.registerType('bench-count', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { send(msg); done(); globalThis.benchArrived(msg); });
  });
};`;

function flows(acknowledge: 'node' | 'sent'): FlowNode[] {
  const place = { z: 'tab', x: 1, y: 1, connection: 'queue' };
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    {
      id: 'queue',
      type: 'holdfast-queue-connection',
      name: 'bench',
      store: 'file',
      queue: `bench-${acknowledge}`,
    },
    { ...place, id: 'put', type: 'holdfast-queue', wires: [[]] },
    { ...place, id: 'take', type: 'holdfast-queue-trigger', acknowledge, inFlight: 1000, wires: [['count']] },
    { ...place, id: 'count', type: 'bench-count', wires: [acknowledge === 'node' ? ['end'] : []] },
    { ...place, id: 'end', type: 'holdfast-acknowledge', wires: [[]] },
  ];
}

/** Messages a second from the first put to the last arrival, in the order in which they were sent. */
async function once(runtime: Headless): Promise<number> {
  let sent = 0;
  let arrived = 0;
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    const more = (): void => {
      while (sent < MESSAGES && sent - arrived < OUTSTANDING) {
        runtime.receive('put', { payload: sent, topic: 'plant/line 1/temperature', text: 'x'.repeat(100) });
        sent += 1;
      }
    };
    Object.assign(globalThis, {
      benchArrived: ({ payload }: { payload: unknown }) => {
        if (payload !== arrived) reject(new Error(`${String(payload)} arrived where ${arrived} was due.`));
        arrived += 1;
        if (arrived === MESSAGES) resolve();
        else if (sent - arrived < OUTSTANDING / 2) more();
      },
    });
    more();
  });
  return MESSAGES / ((performance.now() - start) / 1000);
}

async function measure(acknowledge: 'node' | 'sent', report: Report): Promise<void> {
  const userDir = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  mkdirSync(join(userDir, 'nodes'));
  writeFileSync(join(userDir, 'nodes', 'bench.js'), NODES);
  writeFileSync(join(userDir, 'nodes', 'bench.html'), '');
  const runtime = await boot({ flows: flows(acknowledge), userDir });
  // The headless runner's record would keep every message, which no runtime in a plant does.
  runtime.RED.hooks.remove('*.holdfast-headless');
  const lag = monitorEventLoopDelay({ resolution: 1 });
  try {
    const rates: number[] = [];
    await once(runtime);
    lag.enable();
    for (let i = 0; i < ROUNDS; i += 1) rates.push(await once(runtime));
    lag.disable();
    report.figure({
      name: `queue put to queue take through Node-RED, ${acknowledge === 'node' ? 'acknowledged by a node' : 'acknowledged when sent'}`,
      ours: median(rates),
      unit: 'messages/s',
      target: `at least ${LEAST_RATE}`,
      ok: median(rates) >= LEAST_RATE,
    });
    report.note(`event-loop delay meanwhile: p99 ${(lag.percentile(99) / 1e6).toFixed(1)} ms`);
  } finally {
    await runtime.stop();
    rmSync(userDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

export const suite: BenchSuite = {
  name: 'flow',
  async run(report) {
    await measure('sent', report);
    await measure('node', report);
  },
};
