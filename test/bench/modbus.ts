/**
 * One scan of 1,000 tags through Node-RED against ten pipelined reads that a user of modbus-serial has planned by
 * hand and leaves undecoded. The device is a simulator in a process of its own, the same for both.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ModbusRTU from 'modbus-serial';
import type { Message, Reading } from '../../lib/core';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import { interleave } from './measure';
import type { BenchSuite, Report } from './types';

const ROOT = join(__dirname, '..', '..');
const FIRST = 100;
const TAGS = 1000;
const REGISTERS = 1250;
const READS = 10;
const SCANS = 100;
const ROUNDS = 15;
/** Scans before measuring, so that the request window has grown; more than a minute's worth of polls is not needed. */
const WARM_UP = 200;
const LIMIT = 1.6;

const DEVICE = `
const { start } = require(${JSON.stringify(join(ROOT, 'dist/nodes/modbus/simulator'))});
const { systemClock } = require(${JSON.stringify(join(ROOT, 'dist/lib/core'))});
start({ port: 0, seed: 1, clock: systemClock }).then((device) => {
  process.on('message', () => process.send({ requests: device.requests }));
  process.on('disconnect', () => void device.close());
  process.send({ port: device.port });
});`;

const END = `
module.exports = function (RED) {
  RED.nodes.registerType('bench-end', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { done(); msg.end(msg); });
  });
};`;

/** 100 blocks of ten tags; between them lie two or three registers that nobody asks for. */
const tags = Array.from({ length: TAGS }, (_, i) => ({
  name: `tag ${i}`,
  area: 'holding',
  address: FIRST + Math.floor((Math.floor(i / 10) * REGISTERS) / 100) + (i % 10),
  type: 'uint16',
}));

const flows = (port: number): FlowNode[] => [
  { id: 'tab', type: 'tab', label: 'bench' },
  {
    id: 'link',
    type: 'holdfast-modbus-connection',
    name: 'device',
    configVersion: 1,
    host: '127.0.0.1',
    port,
  },
  {
    id: 'scan',
    z: 'tab',
    type: 'holdfast-modbus',
    configVersion: 1,
    connection: 'link',
    tags,
    wires: [['end']],
  },
  { id: 'end', z: 'tab', type: 'bench-end', wires: [] },
];

const scan = (runtime: Headless): Promise<Message> => new Promise((end) => runtime.receive('scan', { end }));

/** The simulator fills its registers with this. */
const expected = (address: number): number => (address * 7 + 1) % 65_536;

async function check(runtime: Headless, device: ChildProcess, report: Report): Promise<void> {
  for (let i = 0; i < WARM_UP; i += 1) await scan(runtime);
  const before = await requestsOf(device);
  const { payload } = await scan(runtime);
  const requests = (await requestsOf(device)) - before;
  const readings = payload as Reading[];
  const right = readings.filter(
    ({ tag, value, quality }, i) =>
      tag === tags[i]?.name && quality === 'good' && value === expected(tags[i].address),
  ).length;
  report.figure({
    name: 'modbus: right readings in one message',
    ours: right,
    unit: 'readings',
    target: `${TAGS}`,
    ok: right === TAGS,
  });
  report.figure({
    name: 'modbus: requests of one scan',
    ours: requests,
    reference: READS,
    unit: 'requests',
    target: `at most ${READS}`,
    ok: requests <= READS,
  });
}

async function requestsOf(device: ChildProcess): Promise<number> {
  device.send('count');
  const [answer] = (await once(device, 'message')) as [{ requests: number }];
  return answer.requests;
}

/** Milliseconds of one scan. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < SCANS; i += 1) await run();
  return (performance.now() - start) / SCANS;
}

export const suite: BenchSuite = {
  name: 'modbus',
  async run(report) {
    const userDir = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
    mkdirSync(join(userDir, 'nodes'));
    writeFileSync(join(userDir, 'nodes', 'end.js'), END);
    writeFileSync(join(userDir, 'nodes', 'end.html'), '');
    writeFileSync(join(userDir, 'device.js'), DEVICE);
    try {
      await measure(userDir, report);
    } finally {
      rmSync(userDir, { recursive: true, force: true });
    }
  },
};

async function measure(userDir: string, report: Report): Promise<void> {
  const device = fork(join(userDir, 'device.js'), { execArgv: [] });
  const gone = once(device, 'exit');
  const started = await Promise.race([once(device, 'message'), gone]);
  const port = (started[0] as { port?: number } | null)?.port;
  if (port === undefined) throw new Error('The simulated device did not start; run "npm run build" first.');
  const raw = new ModbusRTU();
  let runtime: Headless | undefined;
  try {
    await raw.connectTCP('127.0.0.1', { port });
    raw.setID(1);
    const red = (runtime = await boot({ flows: flows(port), userDir }));
    await check(red, device, report);
    const { ours, library } = await interleave(
      { ours: () => timed(() => scan(red)), library: () => timed(() => rawScan(raw)) },
      ROUNDS,
    );
    report.figure({
      name: 'modbus: scan of 1,000 tags',
      ours,
      reference: library,
      unit: 'ms',
      target: `at most ${LIMIT} times ten hand-made pipelined requests`,
      ok: ours <= library * LIMIT,
    });
  } finally {
    raw.close(() => {});
    await runtime?.stop();
    device.disconnect();
    await gone;
  }
}

function rawScan(raw: ModbusRTU): Promise<unknown> {
  const read = (i: number): Promise<unknown> =>
    raw.readHoldingRegisters(FIRST + (i * REGISTERS) / READS, REGISTERS / READS);
  return Promise.all(Array.from({ length: READS }, (_, i) => read(i)));
}
