import assert from 'node:assert/strict';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { start } from './simulator';

/** The simulator against Node's own fetch: no code of the connector is involved. */
describe('http: simulator', () => {
  let simulator: Awaited<ReturnType<typeof start>>;
  let clock: VirtualClock;
  const at = (path: string): string => `http://${simulator.host}:${simulator.port}${path}`;
  const get = async (
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; body: unknown; headers: Headers }> => {
    const response = await fetch(at(path), { redirect: 'manual', ...init });
    const text = await response.text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    return { status: response.status, body, headers: response.headers };
  };
  const post = (path: string, body: unknown, key?: string): ReturnType<typeof get> =>
    get(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: key === undefined ? {} : { 'Idempotency-Key': key },
    });

  beforeEach(async () => {
    clock = new VirtualClock();
    simulator = await start({ port: 0, seed: 1, clock });
  });
  afterEach(() => simulator.close());

  it('has the same data for the same seed, and other data for another', async () => {
    const [twin, other] = await Promise.all([
      start({ port: 0, seed: 1, clock }),
      start({ port: 0, seed: 2, clock }),
    ]);
    const orders = async (port: number): Promise<string> =>
      (await fetch(`http://127.0.0.1:${port}/orders`)).text();
    const [a, b, c] = await Promise.all([simulator, twin, other].map(({ port }) => orders(port)));
    assert.equal(a, b);
    assert.notEqual(a, c);
    await Promise.all([twin.close(), other.close()]);
  });

  it('acts once for a key, and refuses the key for another request', async () => {
    const order = { article: 'rotor', quantity: 4 };
    const first = await post('/orders', order, 'k1');
    const second = await post('/orders', order, 'k1');
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.deepEqual(second.body, first.body);
    assert.equal(second.headers.get('idempotent-replayed'), 'true');
    assert.deepEqual((await get('/stats')).body, { orders: 58, received: 0 });
    assert.equal((await post('/orders', { ...order, quantity: 5 }, 'k1')).status, 422);
    await post('/orders', order);
    assert.deepEqual((await get('/stats')).body, { orders: 59, received: 0 });
  });

  it('refuses what is not an order', async () => {
    for (const body of ['{', '[]', { article: 1, quantity: 1 }, { article: 'x', quantity: 0 }]) {
      assert.equal((await post('/orders', body)).status, 422);
    }
    assert.equal((await post('/readings', '{')).status, 400);
    assert.equal((await post('/orders', 'x'.repeat(1_100_000))).status, 413);
  });

  it('counts readings, and gives them in the common shape', async () => {
    const { body } = await get('/readings');
    assert.equal((await post('/readings', body)).status, 202);
    assert.deepEqual((await get('/stats')).body, { orders: 57, received: 3 });
    const [first] = body as Record<string, unknown>[];
    assert.equal(first?.['sourceTime'], '2026-01-01T00:00:00.000Z');
    assert.equal(first?.['quality'], 'good');
  });

  it('fails now and then under /flaky: in every way, in the same order, and never for a whole key', async () => {
    const outcome = (path: string, key: string): Promise<number> =>
      post(path, [1], key).then(
        ({ status }) => status,
        () => 0,
      );
    const run = async (): Promise<number[]> => {
      const statuses: number[] = [];
      for (let i = 0; i < 120; i += 1) statuses.push(await outcome('/flaky/readings', `k${i}`));
      return statuses;
    };
    const statuses = await run();
    assert.deepEqual([...new Set(statuses)].sort(), [0, 202, 500, 503]);
    const { received } = (await get('/stats')).body as { received: number };
    const good = statuses.filter((status) => status === 202).length;
    // Some answers were lost after the work was done.
    assert.ok(received > good && received < 120, `${received} received, ${good} confirmed`);
    for (let i = 0; i < 120; i += 1) {
      let status = statuses[i];
      while (status !== 202) status = await outcome('/flaky/readings', `k${i}`);
    }
    assert.deepEqual((await get('/stats')).body, { orders: 57, received: 120 });
    await simulator.close();
    simulator = await start({ port: 0, seed: 1, clock });
    assert.deepEqual(await run(), statuses);
  });

  it('answers slowly by its clock, and lets go of those who leave', async () => {
    const slow = get('/slow?ms=5000');
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(5000);
    assert.deepEqual((await slow).body, { waited: 5000 });
    const leaving = new AbortController();
    const left = assert.rejects(fetch(at('/slow'), { signal: leaving.signal }));
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort();
    await left;
    while (clock.pending > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('checks credentials at /secure', async () => {
    const statuses = await Promise.all([
      get('/secure/basic'),
      get('/secure/basic', { headers: { authorization: `Basic ${btoa('holdfast:simulated')}` } }),
      get('/secure/bearer', { headers: { authorization: 'Bearer wrong' } }),
      get('/secure/bearer', { headers: { authorization: 'Bearer simulated-token' } }),
      get('/secure/key?api_key=simulated-key'),
    ]);
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [401, 200, 401, 200, 200],
    );
  });

  it('answers plainly for the rest', async () => {
    assert.equal((await get('/nothing')).status, 404);
    assert.equal((await get('/orders', { method: 'PATCH' })).status, 405);
    assert.equal((await get('/redirect')).headers.get('location'), '/orders');
    assert.equal((await get('/orders/gzip')).headers.get('content-encoding'), 'gzip');
    assert.equal((await get('/orders/A1001', { method: 'DELETE' })).status, 204);
    assert.equal((await get('/orders/A1001')).status, 404);
    const echo = (await get('/echo?a=1', { method: 'PUT', body: 'x' })).body as Record<string, unknown>;
    assert.deepEqual([echo['method'], echo['query'], echo['body']], ['PUT', { a: '1' }, 'x']);
  });
});
