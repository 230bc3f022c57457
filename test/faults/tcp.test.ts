import assert from 'node:assert/strict';
import { settle, VirtualClock } from '../helpers/virtual-clock';
import { Client, startEcho, type Echo } from './helpers';
import { startFaultProxy, type FaultProxy } from './tcp';

describe('faults: TCP proxy', () => {
  const clock = new VirtualClock();
  const clients: Client[] = [];
  let echo: Echo;
  let proxy: FaultProxy;
  const client = async (): Promise<Client> => {
    const made = await Client.to(proxy);
    clients.push(made);
    return made;
  };

  before(async () => {
    echo = await startEcho();
  });
  beforeEach(async () => {
    proxy = await startFaultProxy({ target: echo, clock });
  });
  afterEach(async () => {
    for (const one of clients.splice(0)) one.close();
    await proxy.close();
  });
  after(() => echo.close());

  it('is transparent in fair weather', async () => {
    const one = await client();
    one.send('hello');
    await one.hears('HELLO');
    assert.equal(proxy.connections, 1);
    one.close();
    const other = await client();
    other.send('more');
    await other.hears('MORE');
    assert.equal(proxy.accepted, 2);
  });

  it('refuses, and listens on the same port again', async () => {
    const one = await client();
    one.send('a');
    await one.hears('A');
    await proxy.set({ kind: 'refused' });
    await one.until(() => one.ended !== undefined);
    await assert.rejects(Client.to(proxy), { code: 'ECONNREFUSED' });
    await proxy.clear();
    const other = await client();
    other.send('b');
    await other.hears('B');
  });

  it('resets open connections, and new ones when they send', async () => {
    const one = await client();
    one.send('a');
    await one.hears('A');
    await proxy.set({ kind: 'reset' });
    await one.until(() => one.ended !== undefined);
    assert.equal(one.ended, 'ECONNRESET');
    const other = await client();
    other.send('b');
    await other.until(() => other.ended !== undefined);
    assert.equal(other.ended, 'ECONNRESET');
    assert.equal(other.heard, '');
  });

  for (const how of ['end', 'reset'] as const) {
    it(`cuts an answer in the middle by ${how}`, async () => {
      const one = await client();
      one.send('a');
      await one.hears('A');
      await proxy.set({ kind: 'cut', afterBytes: 3, how });
      one.send('hello');
      await one.until(() => one.ended !== undefined);
      assert.equal(one.heard, 'AHEL');
      assert.equal(one.ended, how === 'end' ? 'end' : 'ECONNRESET');
    });
  }

  it('forgets a half-open connection for ever, and serves new ones after it', async () => {
    const one = await client();
    one.send('a');
    await one.hears('A');
    await proxy.set({ kind: 'halfOpen' });
    one.send('lost');
    const during = await client();
    during.send('lost too');
    await settle();
    await proxy.clear();
    one.send('still lost');
    const after = await client();
    after.send('b');
    await after.hears('B');
    assert.deepEqual([one.heard, one.ended], ['A', undefined]);
    assert.deepEqual([during.heard, during.ended], ['', undefined]);
  });

  it('holds everything in a black hole and delivers it late', async () => {
    const one = await client();
    one.send('a');
    await one.hears('A');
    await proxy.set({ kind: 'blackHole' });
    one.send('late');
    const during = await client();
    during.send('new');
    await settle();
    assert.deepEqual([one.heard, during.heard], ['A', '']);
    await proxy.clear();
    await one.hears('LATE');
    await during.hears('NEW');
  });

  it('waits on the injected clock when slow', async () => {
    await proxy.set({ kind: 'slow', delayMs: 200, bytesPerSecond: 20 });
    const one = await client();
    one.send('ab');
    while (one.heard !== 'AB') await clock.advance(10);
    // Two bytes on two legs: 200 ms each leg, and 50 ms between two bytes of one piece.
    assert.ok(clock.mono() >= 450, `after ${clock.mono()} ms`);
    assert.deepEqual(
      one.pieces.map((piece) => piece.length),
      [1, 1],
    );
  });

  it('slices an answer into single bytes', async () => {
    await proxy.set({ kind: 'sliced' });
    const one = await client();
    one.send('hello world');
    await one.hears('HELLO WORLD');
    assert.ok(one.pieces.length > 1, `${one.pieces.length} pieces`);
  });

  it('answers garbage that repeats with its seed', async () => {
    const hear = async (): Promise<string> => {
      await proxy.set({ kind: 'garbage', seed: 7, bytes: 16 });
      const one = await client();
      one.send('hello');
      await one.until(() => one.heard.length === 16);
      return one.heard;
    };
    const first = await hear();
    assert.equal(await hear(), first);
    assert.notEqual(first, 'HELLO');
  });

  it('lets the peer restart: one reset, then all is well', async () => {
    const one = await client();
    one.send('a');
    await one.hears('A');
    await proxy.set({ kind: 'peerRestarted' });
    await one.until(() => one.ended === 'ECONNRESET');
    const other = await client();
    other.send('b');
    await other.hears('B');
  });

  it('leads to another peer', async () => {
    const silent = await startFaultProxy({ target: echo });
    await silent.set({ kind: 'refused' });
    proxy.retarget(silent);
    const one = await client();
    await one.until(() => one.ended !== undefined);
    proxy.retarget(echo);
    const other = await client();
    other.send('b');
    await other.hears('B');
    await silent.close();
  });

  it('passes the end of either side', async () => {
    const one = await client();
    one.close();
    await (async () => {
      while (proxy.connections > 0) await settle();
    })();
    assert.equal(proxy.connections, 0);
  });
});
