/** What a hostile message can try: each case ends before a byte is sent, or stays where the connection points. */
import assert from 'node:assert/strict';
import type { Failure } from '../../lib/core';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';

describe('http: hostile messages', () => {
  let peer: Peer;
  const open: Client[] = [];
  const use = (
    node: Record<string, unknown>,
    connection: Record<string, unknown> = {},
    secrets: Record<string, unknown> = {},
  ): Client => {
    const made = client({ baseUrl: `${peer.origin}/api`, ...connection }, node, secrets);
    open.push(made);
    return made;
  };

  beforeEach(async () => {
    peer = await new Peer().start();
    peer.reply = json({ ok: true });
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await peer.close();
  });

  const elsewhere: readonly ((port: number) => string)[] = [
    () => '//evil.example/api/x',
    () => '////evil.example/api/x',
    () => '\\\\evil.example\\api',
    () => '/\\evil.example/api',
    () => 'http:/evil.example/api',
    () => 'http:evil.example/api',
    () => 'http:\\\\evil.example/api',
    () => 'HTTPS://evil.example/api/x',
    () => '\thttp://evil.example/api',
    () => 'ht\ntp://evil.example/api',
    () => 'http:///evil.example/api',
    () => 'javascript:alert(1)',
    () => 'unix:/var/run/docker.sock:/info',
    (port) => `http://127.0.0.1:${port}@evil.example/api/x`,
    (port) => `http://evil.example#@127.0.0.1:${port}/api/x`,
    (port) => `http://user@127.0.0.1:${port}/api/x`,
    (port) => `http://127.0.0.1:${port}.evil.example/api/x`,
    (port) => `http://127.0.0.1.evil.example:${port}/api/x`,
    (port) => `http://localhost:${port}/api/x`,
    (port) => `http://[::1]:${port}/api/x`,
    (port) => `http://[::ffff:127.0.0.1]:${port}/api/x`,
    (port) => `https://127.0.0.1:${port}/api/x`,
    (port) => `ws://127.0.0.1:${port}/api/x`,
    (port) => `http://127.0.0.1:${port}/api/../admin`,
    (port) => `http://127.0.0.1:${port}/api/.%2E/admin`,
    (port) => `http://127.0.0.1:${port}/admin`,
    // Java servers drop what stands behind a semicolon before they resolve the dots.
    () => '/..;/admin',
    () => '/x/..;a=b/../admin',
    () => '/..%3b/admin',
    () => '/.;/..;/admin',
  ];
  for (const url of elsewhere) {
    it(`refuses msg.url ${JSON.stringify(url(80))}`, async () => {
      await assert.rejects(use({ path: '/x' }).send({ url: url(peer.port) }), (failure: Failure) => {
        assert.deepEqual([failure.code, failure.reached], ['BAD_MESSAGE', false]);
        return !failure.message.includes('evil');
      });
      assert.equal(peer.seen.length, 0);
    });
  }

  it('takes another spelling of its own address for what it is', async () => {
    for (const host of ['2130706433', '0x7f.1', '127。0。0。1', '127.1']) {
      const { responseUrl } = await use({ path: '/x' }).send({ url: `http://${host}:${peer.port}/api/y` });
      assert.equal(responseUrl, `${peer.origin}/api/y`);
      assert.equal(peer.last.headers.host, `127.0.0.1:${peer.port}`);
    }
  });

  for (const value of [
    '..;',
    '..',
    '../../admin',
    '..\\admin',
    '..%2fadmin',
    '//evil',
    'a?b=c#d',
    'a\r\nb',
  ]) {
    it(`keeps the path value ${JSON.stringify(value)} in its segment, or refuses it`, async () => {
      const sent = await use({ path: '/orders/{payload}/x' })
        .send({ payload: value })
        .then(
          () => peer.last.url,
          (failure: unknown) => (failure as Failure).code,
        );
      assert.match(sent, /^(?:BAD_MESSAGE|\/api\/orders\/[^/?#;\\]+\/x)$/);
    });
  }

  it('keeps every value of the query a value', async () => {
    const node = { path: '/x?on={payload}', query: [{ name: 'b', value: '{payload}' }] };
    const payload = 'x y+z&admin=1#f\r\nHost: evil';
    await use(node).send({ payload, query: { 'c\r\nd': payload, ['__proto__']: 1, 'e&f=g': '' } });
    const { searchParams } = new URL(peer.last.url, peer.origin);
    assert.deepEqual(
      [...searchParams],
      [
        ['on', payload],
        ['b', payload],
        ['c\r\nd', payload],
        ['__proto__', '1'],
        ['e&f=g', ''],
      ],
    );
    assert.equal(peer.last.headers.host, `127.0.0.1:${peer.port}`);
  });

  it('writes a blank as %20, which every server reads, and leaves the rest of a query as it is', async () => {
    const key = { authKind: 'apiKey', apiKeyName: 'key', apiKeyIn: 'query' };
    const path = "/x?$filter=a%20eq%20'b+c'&key=mine";
    await use({ path, query: [{ name: 'd', value: '{payload}' }] }, key, { apiKeyValue: 'k e+y' }).send({
      payload: 'e f+g',
    });
    assert.equal(peer.last.url, '/api/x?$filter=a%20eq%20%27b+c%27&d=e%20f%2Bg&key=k%20e%2By');
  });

  for (const keyHeader of ['X\r\nHost: evil', 'Host', 'Content-Length', '__proto__', 'a b', 'ü']) {
    it(`refuses the key header ${JSON.stringify(keyHeader)}`, async () => {
      const node = { path: '/x', method: 'POST', idempotency: true, keyHeader };
      await assert.rejects(async () => use(node).send({ payload: 1 }), { kind: 'config' });
      assert.equal(peer.seen.length, 0);
    });
  }

  for (const headers of [
    { Connection: 'upgrade' },
    { Upgrade: 'h2c' },
    { TE: 'trailers' },
    { Expect: '100-continue' },
    { 'x-a': 'a\0b' },
    { 'x-a': 'a\u0085b\u2028c' },
    { 'x-a': ['b\r\nc'] },
    { '': 'a' },
    { ':authority': 'evil' },
    JSON.parse('{"__proto__":"x"}') as object,
  ]) {
    it(`refuses the headers ${JSON.stringify(headers)}`, async () => {
      await assert.rejects(use({ path: '/x' }).send({ headers }), { code: 'BAD_MESSAGE', reached: false });
      assert.equal(peer.seen.length, 0);
    });
  }

  it('reaches no prototype through a template', async () => {
    for (const path of ['constructor.name', 'payload.__proto__.a', 'payload.constructor.name']) {
      await assert.rejects(async () => use({ path: `/x/{${path}}` }).send({ payload: {} }));
    }
    assert.equal(peer.seen.length, 0);
  });
});
