/**
 * Requests with 32 in flight: through Node-RED and the http node, against axios with keep-alive on the same work.
 * The server runs in a thread of its own and answers a JSON object.
 */
import { Agent } from 'node:http';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import axios from 'axios';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import { interleave } from './measure';
import type { BenchSuite } from './types';

const IN_FLIGHT = 32;
const REQUESTS = 2000;
const ROUNDS = 7;
const LEAST = 0.8;

const SERVER = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
const orders = Array.from({ length: 5 }, (_, i) => ({ id: 'A' + i, article: 'gear shaft', quantity: 10 * i, open: true }));
const body = JSON.stringify({ orders, total: 5 });
const server = createServer({ keepAliveTimeout: 60000 }, (req, res) => {
  req.resume();
  req.on('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end(body));
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;
/** The last node of a flow: tells the message's sender that it has come through. */
const END = `
module.exports = function (RED) {
  RED.nodes.registerType('bench-end', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { done(); msg.end(msg.payload.total); });
  });
};`;

const reading = (i: number) => ({ tag: 'press/temperature', value: i * 0.1, quality: 'good', unit: '°C' });

/** Requests a second, with at most `IN_FLIGHT` of them under way. */
async function rate(request: (i: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < REQUESTS) {
      const total = await request(next++);
      if (total !== 5) throw new Error(`The answer is ${String(total)}, which is not what the server sent.`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, run));
  return (REQUESTS * 1000) / (performance.now() - start);
}

const through = (runtime: Headless, node: string, msg: (i: number) => object) => (): Promise<number> =>
  rate((i) => new Promise((end) => runtime.receive(node, { ...msg(i), end })));

function flow(port: number): FlowNode[] {
  const node = { z: 'tab', x: 1, y: 1, type: 'holdfast-http', connection: 'api', wires: [['end']] };
  const baseUrl = `http://127.0.0.1:${port}/api`;
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'api', type: 'holdfast-http-connection', baseUrl, headers: [], idleTimeout: '60s' },
    { ...node, id: 'get', method: 'GET', path: '/orders/{payload}' },
    { ...node, id: 'post', method: 'POST', path: '/readings' },
    { id: 'end', z: 'tab', x: 1, y: 1, type: 'bench-end', wires: [] },
  ];
}

export const suite: BenchSuite = {
  name: 'http',
  async run(report) {
    const server = new Worker(SERVER, { eval: true });
    const [port] = (await once(server, 'message')) as [number];
    const userDir = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
    mkdirSync(join(userDir, 'nodes'));
    writeFileSync(join(userDir, 'nodes', 'end.js'), END);
    writeFileSync(join(userDir, 'nodes', 'end.html'), '');
    const httpAgent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
    const raw = axios.create({ baseURL: `http://127.0.0.1:${port}/api`, httpAgent, proxy: false });
    const total = ({ data }: { data: { total: number } }): number => data.total;
    const runtime = await boot({ flows: flow(port), userDir });
    try {
      const measured = await interleave(
        {
          rawGet: () => rate((i) => raw.get<{ total: number }>(`/orders/A${i}`).then(total)),
          get: through(runtime, 'get', (i) => ({ payload: `A${i}` })),
          rawPost: () => rate((i) => raw.post<{ total: number }>('/readings', reading(i)).then(total)),
          post: through(runtime, 'post', (i) => ({ payload: reading(i) })),
        },
        ROUNDS,
      );
      const compare = (name: string, ours: number, reference: number): void =>
        report.figure({
          name: `http: ${name}, ${IN_FLIGHT} in flight`,
          ours,
          reference,
          unit: 'requests/s',
          target: `at least ${LEAST} of raw axios with keep-alive`,
          ok: ours / reference >= LEAST,
        });
      compare('GET', measured.get, measured.rawGet);
      compare('POST', measured.post, measured.rawPost);
    } finally {
      await runtime.stop();
      httpAgent.destroy();
      await server.terminate();
      rmSync(userDir, { recursive: true, force: true });
    }
  },
};
