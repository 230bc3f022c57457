import assert from 'node:assert/strict';
import { boot, type FlowNode, type Headless } from '../headless';

const CANARY = 'canary-plugin-2718';
const LINK = { id: 'link', type: 'holdfast-http-connection', name: 'ERP', authKind: 'basic', username: 'u' };
const FLOWS: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'plugin' },
  { ...LINK, baseUrl: 'http://127.0.0.1:9', reopenMax: '1s' },
  {
    id: 'get',
    z: 'tab',
    x: 1,
    y: 1,
    type: 'holdfast-http',
    connection: 'link',
    retryStrategy: 'none',
    wires: [[]],
  },
];
/** Nobody may do anything without a token. */
const adminAuth = { type: 'credentials', users: [] };

describe('health and metrics pages', () => {
  let runtime: Headless;

  async function start(settings: object): Promise<(path: string) => Promise<Response>> {
    runtime = await boot({
      flows: FLOWS,
      credentials: { link: { password: CANARY } },
      http: true,
      settings: { ...settings },
    });
    return (path) => fetch(`${runtime.url ?? ''}${path}`);
  }
  afterEach(() => runtime.stop());

  it('answer for every connection without any wiring, 503 while one is unhealthy', async () => {
    const get = await start({});
    runtime.receive('get', { payload: 1 });
    await runtime.waitForStatus('get', ({ fill }) => fill === 'red');
    const response = await get('/holdfast/health');
    assert.equal(response.status, 503);
    const body = (await response.json()) as {
      status: string;
      connections: { name: string; state: string }[];
    };
    assert.equal(body.status, 'unhealthy');
    assert.deepEqual(
      body.connections.map(({ name, state }) => [name, state]),
      [['ERP', 'unhealthy']],
    );
    const metrics = await (await get('/holdfast/metrics')).text();
    assert.match(metrics, /^holdfast_\w+\{[^}]*ERP/m);
    assert.ok(!`${JSON.stringify(body)}${metrics}`.includes(CANARY));
  });

  it('stay behind the permissions of Node-RED', async () => {
    const get = await start({ adminAuth });
    assert.equal((await get('/holdfast/health')).status, 401);
    assert.equal((await get('/holdfast/metrics')).status, 401);
  });

  it('open to a probe where the settings say so', async () => {
    const get = await start({ adminAuth, holdfast: { openProbe: true } });
    assert.notEqual((await get('/holdfast/health')).status, 401);
    assert.equal((await get('/holdfast/metrics')).status, 200);
  });
});
