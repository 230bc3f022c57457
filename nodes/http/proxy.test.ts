import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Failure } from '../../lib/core';
import { makeAuthority } from '../../test/faults';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';

describe('http: proxy', () => {
  const authority = makeAuthority();
  let proxy: Server;
  let heads: { line: string; headers: IncomingMessage['headers'] }[];
  let tunnels = 0;
  let answer: (client: Duplex) => boolean;
  const sockets = new Set<Duplex>();
  const peers: Peer[] = [];
  const open: Client[] = [];
  const LOGIN = `Basic ${Buffer.from('proxy-user:canary-9').toString('base64')}`;
  const port = (): number => (proxy.address() as AddressInfo).port;

  const serve = async (tls: boolean): Promise<Peer> => {
    const peer = await new Peer(tls ? authority.issue(['127.0.0.1']) : undefined).start();
    peer.reply = json({ ok: true });
    peers.push(peer);
    return peer;
  };
  const use = (
    peer: Peer,
    connection: Record<string, unknown> = {},
    node: Record<string, unknown> = {},
  ): Client => {
    const settings = {
      baseUrl: peer.origin,
      tlsCa: authority.cert,
      proxyUrl: `http://127.0.0.1:${port()}`,
      proxyUsername: 'proxy-user',
      ...connection,
    };
    const made = client(settings, { path: '/x', ...node }, { proxyPassword: 'canary-9' });
    open.push(made);
    return made;
  };

  beforeEach(async () => {
    heads = [];
    tunnels = 0;
    answer = () => false;
    proxy = createServer((req, res) => {
      heads.push({ line: `${req.method ?? ''} ${req.url ?? ''}`, headers: req.headers });
      if (req.headers['proxy-authorization'] !== LOGIN) return void res.writeHead(407).end();
      const peer = peers.find(({ origin }) => req.url?.startsWith(origin));
      peer?.seen.push({ method: req.method ?? '', url: req.url ?? '', headers: {}, body: Buffer.alloc(0) });
      res.end('{"through":"proxy"}');
    });
    proxy.on('connect', (req: IncomingMessage, inner: Duplex) => {
      heads.push({ line: `CONNECT ${req.url ?? ''}`, headers: req.headers });
      sockets.add(inner);
      inner.on('error', () => {});
      if (answer(inner)) return;
      if (req.headers['proxy-authorization'] !== LOGIN) {
        return void inner.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      }
      tunnels += 1;
      const [host = '', to = ''] = (req.url ?? '').split(':');
      const outer: Socket = connect(Number(to), host, () => {
        inner.write('HTTP/1.1 200 Connection established\r\n\r\n');
        outer.pipe(inner).pipe(outer);
      });
      sockets.add(outer);
      outer.on('error', () => inner.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    for (const one of peers.splice(0)) await one.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    proxy.closeAllConnections();
    await new Promise<void>((resolve) => proxy.close(() => resolve()));
  });

  it('tunnels https: the proxy sees its own login and the host, the server sees neither', async () => {
    const peer = await serve(true);
    const http = use(peer, { headers: [{ name: 'X-Secret', value: 'canary-1' }] });
    for (let i = 0; i < 5; i += 1) assert.deepEqual((await http.send({})).payload, { ok: true });
    assert.ok(tunnels <= 3, `${tunnels} tunnels for five calls`);
    assert.equal(heads[0]?.line, `CONNECT 127.0.0.1:${peer.port}`);
    assert.equal(heads[0]?.headers['proxy-authorization'], LOGIN);
    assert.ok(!JSON.stringify(heads).includes('canary-1'));
    assert.equal(peer.last.headers['proxy-authorization'], undefined);
    assert.equal(peer.last.headers['x-secret'], 'canary-1');
  });

  it('checks the certificate of the server through the tunnel', async () => {
    const peer = await serve(true);
    await assert.rejects(use(peer, { tlsServerName: 'other.example' }).send({}), { code: 'TLS_FAILED' });
    assert.equal(peer.seen.length, 0);
  });

  it('sends plain http through the proxy with the whole address', async () => {
    const peer = await serve(false);
    assert.deepEqual((await use(peer).send({})).payload, { through: 'proxy' });
    const head = heads.at(-1);
    assert.equal(head?.line, `GET ${peer.origin}/x`);
    assert.equal(head?.headers.host, `127.0.0.1:${peer.port}`);
  });

  it('names a refused proxy login, for both kinds', async () => {
    for (const tls of [true, false]) {
      const wrong = use(await serve(tls), { proxyUsername: 'nobody' });
      await assert.rejects(wrong.send({}), (failure: Failure) => {
        assert.equal(failure.code, 'AUTH_FAILED');
        return failure.message.includes('proxy') && !failure.message.includes('canary');
      });
    }
  });

  for (const [what, text] of [
    ['refuses the host', 'HTTP/1.1 403 Forbidden\r\n\r\n'],
    ['is broken', 'HTTP/1.1 502 Bad Gateway\r\n\r\n'],
    ['speaks something else', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['speaks too early', 'HTTP/1.1 200 OK\r\n\r\ninjected'],
    ['sends an endless header', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}`],
  ] as const) {
    it(`names a proxy that ${what}`, async () => {
      answer = (inner) => {
        inner.write(text);
        return true;
      };
      await assert.rejects(use(await serve(true)).send({}), (failure: Failure) => {
        assert.equal(failure.reached, false);
        return failure.message.includes(`proxy 127.0.0.1:${port()}`);
      });
    });
  }

  it('takes an IPv6 proxy address, and refuses one with credentials or a path', async () => {
    const peer = await serve(true);
    for (const proxyUrl of [
      `http://u:p@127.0.0.1:${port()}`,
      `http://127.0.0.1:${port()}/path`,
      'socks5://x',
    ]) {
      await assert.rejects(async () => use(peer, { proxyUrl }).send({}), { kind: 'config' });
    }
    await assert.rejects(use(peer, { proxyUrl: 'http://[::1]:1' }).send({}), { kind: 'disconnected' });
  });

  it('ignores proxies of the environment', async () => {
    const before = process.env['http_proxy'];
    process.env['http_proxy'] = `http://127.0.0.1:${port()}`;
    try {
      const peer = await serve(false);
      assert.deepEqual((await use(peer, { proxyUrl: '' }).send({})).payload, { ok: true });
      assert.equal(heads.length, 0);
    } finally {
      if (before === undefined) delete process.env['http_proxy'];
      else process.env['http_proxy'] = before;
    }
  });
});
