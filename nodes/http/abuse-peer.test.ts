/** What a hostile or broken server can try: bounded, named, and never a reason to repeat what was done. */
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Failure } from '../../lib/core';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';

const CANARY = 'canary/9 f+3';

describe('http: hostile servers', () => {
  let peer: Peer;
  const open: Client[] = [];
  const use = (
    node: Record<string, unknown> = {},
    connection: Record<string, unknown> = {},
    secrets: Record<string, unknown> = {},
  ): Client => {
    const made = client({ baseUrl: peer.origin, ...connection }, { path: '/x', ...node }, secrets);
    open.push(made);
    return made;
  };
  const key = { authKind: 'apiKey', apiKeyName: 'key', apiKeyIn: 'query' };

  beforeEach(async () => {
    peer = await new Peer().start();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await peer.close();
  });

  for (const [coding, pack] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const) {
    it(`bounds a bomb within a bomb: ${coding}`, async () => {
      const bomb = pack(pack(Buffer.alloc(20_000_000)));
      assert.ok(bomb.length < 10_000);
      peer.reply = (_seen, res) =>
        void res.writeHead(200, { 'content-encoding': `${coding}, ${coding}` }).end(bomb);
      await assert.rejects(use({ maxSize: 1024 }).send({}), { code: 'RESPONSE_TOO_LARGE' });
    });
  }

  it('names the status of a failing answer whose body cannot be read', async () => {
    for (const coding of ['gzip', 'zstd', 'gzip, gzip, gzip']) {
      peer.reply = (_seen, res) => void res.writeHead(503, { 'content-encoding': coding }).end('not packed');
      await assert.rejects(use().send({}), { code: 'PEER_ERROR', kind: 'transient' });
    }
  });

  it('sends no cookie back that nobody put into the headers', async () => {
    peer.reply = json({}, 200, { 'set-cookie': 'session=1; Path=/' });
    const http = use();
    await http.send({});
    await http.send({});
    assert.deepEqual(
      peer.seen.map(({ headers }) => headers.cookie),
      [undefined, undefined],
    );
  });

  it('caps an absurd Retry-After at a day, and takes none for senseless ones', async () => {
    for (const [text, ms] of [
      ['99999999999999999999', 86_400_000],
      ['Fri, 31 Dec 9999 23:59:59 GMT', 86_400_000],
      ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
      ['-1', undefined],
      ['1e3', undefined],
      ['', undefined],
    ] as const) {
      peer.reply = json({}, 429, { 'retry-after': text });
      await assert.rejects(use().send({}), (failure: Failure) => {
        assert.equal(failure.retryAfterMs, ms, text);
        return true;
      });
    }
  });

  it('shows no key of the query in a failure', async () => {
    peer.reply = (seen, res) =>
      json({ asked: seen.url, again: CANARY }, seen.url.startsWith('/bad') ? 400 : 200, {
        link: `<${peer.origin}${seen.url}>; rel="self", </${encodeURIComponent(CANARY)}>; rel="up"`,
        'content-location': `${seen.url.replace(/%20/g, '+')} ${CANARY}`,
      })(seen, res);
    const http = use({ response: 'text' }, key, { apiKeyValue: CANARY });
    await assert.rejects(http.send({ url: '/bad?z=1' }), (failure: Failure) => {
      assert.equal(failure.code, 'PEER_REJECTED');
      return !/canary/.test(`${failure.stack ?? ''}${JSON.stringify(failure.toRecord())}`);
    });
  });

  it('shows no secret of a message address in the name of the operation', async () => {
    peer.reply = json({}, 400);
    await assert.rejects(use().send({ url: '/y?token=canary#canary' }), (failure: Failure) => {
      assert.equal(failure.details['operation'], 'GET /y');
      return !/canary/.test(JSON.stringify(failure.toRecord()));
    });
  });

  describe('what was done is not done again', () => {
    const once = { retryStrategy: 'fixed', retryBase: '1ms', retryAttempts: 5, method: 'POST' };
    const posts = (): number => peer.seen.filter(({ method }) => method === 'POST').length;

    for (const status of [401, 429]) {
      it(`a POST answered with 303 whose result answers ${status}`, async () => {
        peer.reply = (seen, res) =>
          seen.method === 'POST'
            ? void res.writeHead(303, { location: '/result' }).end()
            : json({}, status)(seen, res);
        const bearer = { authKind: 'bearer' };
        await assert.rejects(use(once, bearer, { token: 'good-token' }).send({ payload: 1 }));
        assert.equal(posts(), 1);
      });
    }

    it('a POST answered with 303 whose result refuses an OAuth token', async () => {
      peer.reply = (seen, res) => {
        if (seen.url === '/token') json({ access_token: 'a', token_type: 'bearer' })(seen, res);
        else if (seen.method === 'POST') res.writeHead(303, { location: '/result' }).end();
        else json({}, 401)(seen, res);
      };
      const oauth = { authKind: 'oauth2', tokenUrl: `${peer.origin}/token`, clientId: 'gateway' };
      await assert.rejects(use(once, oauth, { clientSecret: 's' }).send({ payload: 1 }));
      assert.equal(peer.seen.filter(({ url }) => url === '/x').length, 1);
    });

    it('a POST answered with 303 to a listed origin that is gone', async () => {
      const gone = await new Peer().start();
      const { origin } = gone;
      await gone.close();
      peer.reply = (_seen, res) => void res.writeHead(303, { location: `${origin}/result` }).end();
      await assert.rejects(use(once, { redirectOrigins: [origin] }).send({ payload: 1 }));
      assert.equal(posts(), 1);
    });

    for (const status of [401, 429]) {
      it(`a POST in pages whose second page answers ${status}`, async () => {
        peer.reply = (seen, res) =>
          seen.url === '/x' ? json({ items: [1], next: '/y' })(seen, res) : json({}, status)(seen, res);
        const paged = use({ ...once, paging: 'next', itemsPath: 'items' });
        await assert.rejects(paged.send({ payload: 1 }));
        assert.equal(peer.seen.filter(({ url }) => url === '/x').length, 1);
      });
    }
  });

  it('a stranger that refuses does not say that our credentials are wrong', async () => {
    const other = await new Peer().start();
    let issued = 0;
    peer.reply = (seen, res) => {
      if (seen.url !== '/token') return void res.writeHead(302, { location: `${other.origin}/y` }).end();
      issued += 1;
      json({ access_token: `a${issued}`, token_type: 'bearer' })(seen, res);
    };
    other.reply = json({}, 401);
    const oauth = { authKind: 'oauth2', tokenUrl: `${peer.origin}/token`, clientId: 'gateway' };
    const http = use({}, { ...oauth, redirectOrigins: [other.origin] }, { clientSecret: 's' });
    await assert.rejects(http.send({}), (failure: Failure) => {
      assert.equal(failure.kind, 'rejected');
      return failure.message.startsWith(`${other.origin} answers`);
    });
    assert.equal(issued, 1);
    await other.close();
  });

  it('ends a list of ever new pages at its limit', async () => {
    peer.reply = (_seen, res) => json({ items: [], next: `/p${peer.seen.length}` })(_seen, res);
    const paged = use({ paging: 'next', itemsPath: 'items', maxPages: 7 });
    await assert.rejects(paged.send({}), { code: 'TOO_MANY_PAGES' });
    assert.equal(peer.seen.length, 7);
  });

  it('follows a next link to another origin in no spelling', async () => {
    for (const next of [
      '//evil.example/p',
      '/\\evil.example/p',
      'http:\\\\evil.example/p',
      'http://169.254.169.254/p',
    ]) {
      peer.reply = (seen, res) => json({ items: [], next: seen.url === '/x' ? next : null })(seen, res);
      await use({ paging: 'next', itemsPath: 'items' }).send({});
      assert.equal(peer.last.headers.host, new URL(peer.origin).host, next);
      assert.equal(peer.last.url, '/p');
    }
    for (const next of ['file:///etc/passwd', 'data:,{}', 'http://', { href: '/p' }, 7]) {
      peer.reply = json({ items: [], next });
      await assert.rejects(use({ paging: 'next', itemsPath: 'items' }).send({}), { code: 'BAD_RESPONSE' });
    }
  });
});

/** Answers every request with these bytes; nothing of them need be HTTP. */
describe('http: servers that lie about framing', () => {
  let server: Server;
  let answer: (socket: Socket, count: number) => void;
  let requests = 0;
  const sockets = new Set<Socket>();
  const use = (node: Record<string, unknown> = {}): Client =>
    client({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, { path: '/', ...node });

  beforeEach(async () => {
    requests = 0;
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', () => answer(socket, (requests += 1)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  for (const [what, text, code] of [
    [
      'both lengths',
      'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      'BAD_RESPONSE',
    ],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}', 'BAD_RESPONSE'],
    ['a chunk size that is none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n', 'BAD_RESPONSE'],
    ['a chunk of 16 EiB', 'Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}', 'BAD_RESPONSE'],
    [
      'a chunk of 100 MB that ends early',
      'Transfer-Encoding: chunked\r\n\r\n6400000\r\n{}',
      'CONNECTION_LOST',
    ],
    ['no last chunk', 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n', 'CONNECTION_LOST'],
    ['a longer body than it sends', 'Content-Length: 100000000\r\n\r\n{}', 'CONNECTION_LOST'],
    ['a header that is folded', 'X-A: b\r\n c: d\r\nContent-Length: 2\r\n\r\n{}', 'BAD_RESPONSE'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      answer = (socket) => void socket.end(`HTTP/1.1 200 OK\r\n${text}`);
      const http = use({ maxSize: 200_000 });
      await assert.rejects(http.send({}), { code, kind: 'transient' });
      await http.close();
    });
  }

  it('never takes an answer that came unasked for that of the next request', async () => {
    const one = (n: number): string => `HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"n":${n}}`;
    answer = (socket, count) => void socket.write(one(count) + one(9));
    const http = use();
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i += 1) {
      const n = await http.send({}).then(
        ({ payload }) => (payload as { n: number }).n,
        () => 'failed',
      );
      seen.push(n);
    }
    assert.ok(!seen.includes(9), JSON.stringify(seen));
    assert.equal(seen[0], 1);
    await http.close();
  });
});
