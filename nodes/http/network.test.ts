import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { cancelled, Scope, systemClock, type Clock, type Failure } from '../../lib/core';
import { startFaultProxy, type FaultProxy } from '../../test/faults';
import { Harness } from '../../test/helpers/harness';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { adapter } from './adapter';
import { classify } from './classify';
import { connector } from './connector';
import { probe } from './probe';
import { start } from './simulator';
import { parseBase } from './url';

describe('http: network', () => {
  let peer: Peer;
  let proxy: FaultProxy;
  const open: Client[] = [];
  const use = (
    node: Record<string, unknown> = {},
    connection: Record<string, unknown> = {},
    clock: Clock = systemClock,
  ): Client => {
    const settings = { baseUrl: `http://127.0.0.1:${proxy.port}`, ...connection };
    const made = client(settings, { path: '/x', ...node }, {}, clock);
    open.push(made);
    return made;
  };

  beforeEach(async () => {
    peer = await new Peer().start();
    peer.reply = json({ ok: true });
    proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: peer.port } });
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await proxy.close();
    await peer.close();
  });

  it('keeps its connections and reuses them', async () => {
    const http = use();
    for (let i = 0; i < 10; i += 1) await http.send({});
    assert.equal(peer.seen.length, 10);
    // One for the probe of the opening, one for the ping, one for the calls.
    assert.ok(proxy.accepted <= 3, `${proxy.accepted} connections`);
  });

  it('opens no more connections than it may', async () => {
    const waiting: (() => void)[] = [];
    const http = use({}, { maxSockets: 3 });
    await http.send({});
    const before = proxy.accepted;
    peer.reply = (_seen, res) => {
      waiting.push(() => void res.end('{}'));
      if (waiting.length === 3) waiting.splice(0).forEach((answer) => answer());
    };
    await Promise.all(Array.from({ length: 9 }, () => http.send({})));
    assert.ok(proxy.accepted - before <= 2, `${proxy.accepted - before} new connections`);
  });

  for (const kind of ['reset', 'cut', 'garbage'] as const) {
    it(`names ${kind}, and works again afterwards`, async () => {
      const http = use();
      await http.send({});
      await proxy.set(kind === 'garbage' ? { kind, seed: 1, bytes: 300 } : { kind });
      await assert.rejects(http.send({}), (failure: Failure) => {
        assert.equal(failure.kind, 'transient');
        assert.equal(failure.code, kind === 'garbage' ? 'BAD_RESPONSE' : 'CONNECTION_LOST');
        assert.equal(failure.reached, true);
        return failure.message.includes(`http://127.0.0.1:${proxy.port}`);
      });
      await proxy.clear();
      assert.deepEqual((await http.send({})).payload, { ok: true });
    });
  }

  it('names a cut within the body', async () => {
    peer.reply = (_seen, res) => {
      res.writeHead(200, { 'content-length': '1000' });
      res.write('{"half":', () => res.destroy());
    };
    await assert.rejects(use().send({}), { code: 'CONNECTION_LOST', kind: 'transient', reached: true });
  });

  it('takes answers byte by byte', async () => {
    await proxy.set({ kind: 'sliced' });
    assert.deepEqual((await use().send({})).payload, { ok: true });
  });

  it('refused: the connection is down, nothing was sent, and the message says where', async () => {
    await proxy.set({ kind: 'refused' });
    const http = use();
    await assert.rejects(http.send({}), (failure: Failure) => {
      assert.equal(failure.kind, 'disconnected');
      assert.equal(failure.reached, false);
      return failure.message.includes(`http://127.0.0.1:${proxy.port} refuses the connection`);
    });
  });

  it('reopens after a refusal without a redeploy', async () => {
    const http = use({ retryStrategy: 'fixed', retryBase: '5ms', retryAttempts: 1000 });
    await http.send({});
    await proxy.set({ kind: 'refused' });
    const pending = http.send({});
    await proxy.clear();
    assert.deepEqual((await pending).payload, { ok: true });
  });

  /** Resolves when the peer has as many requests as that. */
  const arrives = async (count: number): Promise<void> => {
    while (peer.seen.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  const stop = async (clock: VirtualClock): Promise<void> => {
    const closing = open.pop()?.close();
    await clock.advance(60_000);
    await closing;
  };

  it('ends when the node stops, and frees the socket', async () => {
    const clock = new VirtualClock();
    const gone = new Promise<void>((resolve) => {
      peer.reply = (_seen, res) => void res.once('close', resolve);
    });
    const http = use({ timeout: '1h' }, {}, clock);
    const pending = assert.rejects(http.send({}), { kind: 'cancelled' });
    await arrives(1);
    await stop(clock);
    await pending;
    await gone;
  });

  it('a POST that timed out is of unknown outcome, and is not repeated', async () => {
    const clock = new VirtualClock();
    peer.reply = () => {};
    const http = use({ retryStrategy: 'fixed', method: 'POST', timeout: '5s' }, {}, clock);
    const pending = assert.rejects(http.send({ payload: 1 }), { code: 'OUTCOME_UNKNOWN' });
    await arrives(1);
    await clock.advance(60_000);
    await pending;
    assert.equal(peer.seen.length, 1);
    await stop(clock);
  });

  it('a POST with a key is repeated with the same key', async () => {
    const clock = new VirtualClock();
    peer.reply = (seen, res) => {
      if (peer.seen.length > 2) json({ ok: true })(seen, res);
    };
    const node = {
      retryStrategy: 'fixed',
      retryBase: '10ms',
      retryAttempts: 3,
      method: 'POST',
      timeout: '5s',
    };
    const pending = use({ ...node, idempotency: true }, {}, clock).send({ payload: 1 });
    for (const count of [1, 2]) {
      await arrives(count);
      await clock.advance(6000);
    }
    await pending;
    const keys = peer.seen.map(({ headers }) => headers['idempotency-key']);
    assert.equal(keys.length, 3);
    assert.ok(keys[0]);
    assert.equal(new Set(keys).size, 1);
    await stop(clock);
  });

  it('leaves pages early: the request under way ends, and the peer sees it', async () => {
    const clock = new VirtualClock();
    const gone = new Promise<void>((resolve) => {
      peer.reply = (seen, res) => {
        if (seen.url === '/x') return json({ items: [1], next: '/y' })(seen, res);
        res.once('close', resolve);
      };
    });
    const http = use({ paging: 'next', itemsPath: 'items', pageOutput: 'pages', timeout: '1h' }, {}, clock);
    const pending = assert.rejects(http.sendAll({}), { kind: 'cancelled' });
    await arrives(2);
    await stop(clock);
    await pending;
    await gone;
  });

  it('does not wait for ever for a later page', async () => {
    const clock = new VirtualClock();
    peer.reply = (seen, res) => {
      if (seen.url === '/x') json({ items: [1], next: '/y' })(seen, res);
    };
    const http = use({ paging: 'next', itemsPath: 'items', pageOutput: 'pages', timeout: '5s' }, {}, clock);
    const pending = assert.rejects(http.sendAll({}), { code: 'CALL_TIMEOUT' });
    await arrives(2);
    await clock.advance(6000);
    await pending;
    await stop(clock);
  });

  it('pings the health path where there is one, and only connects where there is none', async () => {
    const context = (config: Record<string, unknown>): unknown => ({
      config: {
        baseUrl: `${peer.origin}/api`,
        headers: [],
        redirectOrigins: [],
        proxyUrl: '',
        maxSockets: 1,
        idleTimeout: 100,
        healthPath: '',
        healthMethod: 'GET',
        ...config,
      },
      auth: { parts: () => Promise.resolve({ headers: {}, query: {} }), renew: () => false },
      clock: systemClock,
      scope: new Scope(),
    });
    const openOne = (config: Record<string, unknown>): ReturnType<typeof connector.open> =>
      connector.open(context(config) as Parameters<typeof connector.open>[0]);
    const call = { attempt: 1, scope: new Scope(), key: 'k' };
    const plain = await openOne({});
    await connector.ping?.(plain, call);
    assert.equal(peer.seen.length, 0);
    await connector.close(plain);
    const asked = await openOne({ healthPath: 'health', healthMethod: 'HEAD' });
    await connector.ping?.(asked, call);
    assert.deepEqual([peer.last.method, peer.last.url], ['HEAD', '/api/health']);
    peer.reply = json({}, 503, { 'retry-after': '1' });
    await assert.rejects(async () => connector.ping?.(asked, call), { code: 'THROTTLED' });
    await connector.close(asked);
    peer.reply = json({}, 401);
    await assert.rejects(openOne({ healthPath: '/health' }), { kind: 'auth' });
    const refusing = await startFaultProxy({ target: { host: '127.0.0.1', port: peer.port } });
    await refusing.set({ kind: 'refused' });
    const gone = openOne({ baseUrl: `http://127.0.0.1:${refusing.port}` });
    await assert.rejects(gone, { code: 'CONNECTION_REFUSED', reached: false });
    await refusing.close();
  });

  for (const way of ['directly', 'through a proxy', 'through a tunnel'] as const) {
    it(`opens nothing for a scope that has ended before: ${way}`, async () => {
      const reason = cancelled();
      const scope = new Scope();
      scope.abort(reason);
      const before = proxy.accepted;
      const through = { secure: false, hostname: '127.0.0.1', port: proxy.port, username: '', password: '' };
      const options = { tls: undefined, maxSockets: 1, idleMs: 100, clock: systemClock };
      const secure = way === 'through a tunnel';
      const base = parseBase(`http${secure ? 's' : ''}://127.0.0.1:${proxy.port}`);
      const ended = probe(base, { ...options, proxy: way === 'directly' ? undefined : through }, scope);
      await assert.rejects(ended, (error) => error === reason);
      assert.equal(scope.listenerCount, 0);
      await once(connectTcp(proxy.port, '127.0.0.1').end(), 'close');
      assert.equal(proxy.accepted, before + 1);
    });
  }

  it('runs on its simulator after import', async () => {
    const harness = new Harness();
    const raw = { baseUrl: 'https://api.example.com/v1', simulate: true, healthPath: '/status' };
    const { connection } = harness.connection(connector, raw);
    const node = harness.adapter(adapter, connection, {
      path: '/orders/{payload}',
    });
    const [msg] = await node.send({ payload: 'A1002' });
    assert.equal((msg?.payload as { id: string }).id, 'A1002');
    await harness.close();
  });

  it('knows every error that it meets, and keeps none of them', () => {
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']) {
      const failure = classify(Object.assign(new Error('connect'), { code }));
      assert.deepEqual([failure.kind, failure.reached], ['disconnected', false], code);
    }
    const timeout = Object.assign(new Error('x'), { code: 'ETIMEDOUT', syscall: 'connect' });
    assert.equal(classify(timeout).code, 'CONNECTION_TIMEOUT');
    assert.equal(classify(Object.assign(new Error('x'), { code: 'ETIMEDOUT' })).code, 'CONNECTION_LOST');
    const leaky = Object.assign(new Error('odd'), {
      code: 'EODD',
      config: { headers: { authorization: 'canary' } },
    });
    const unknown = classify(leaky);
    assert.equal(unknown.kind, 'unclassified');
    assert.equal(unknown.cause, undefined);
    assert.ok(!JSON.stringify(unknown.toRecord()).includes('canary'));
    for (const odd of [undefined, null, 'text', 7, {}]) assert.equal(classify(odd).kind, 'unclassified');
  });

  it('reads requests of any kind without falling over', async () => {
    const simulator = await start({ port: 0, seed: 1, clock: systemClock });
    const noise = [
      'GET /%E0%A4%A HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /orders/%E0%A4%A HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET // HTTP/1.1\r\nHost: x\r\n\r\n',
      '\u0000\u0001garbage\r\n\r\n',
    ];
    for (const text of noise) {
      const socket = connectTcp(simulator.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(text);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 4\d\d /);
      socket.destroy();
    }
    await simulator.close();
  });
});

describe('http: a peer that drips', () => {
  let server: Server;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nx-endless: ');
        const more = (): void => {
          while (!socket.destroyed && socket.write('a'.repeat(4096)));
          if (!socket.destroyed) socket.once('drain', more);
        };
        more();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('refuses an endless header', async () => {
    const http = client(
      { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      { path: '/' },
    );
    await assert.rejects(http.send({}), { code: 'BAD_RESPONSE' });
    await http.close();
  });
});
