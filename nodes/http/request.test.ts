import assert from 'node:assert/strict';
import type { Failure } from '../../lib/core';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';

describe('http: requests', () => {
  let peer: Peer;
  const open: Client[] = [];
  const use = (node: Record<string, unknown>, connection: Record<string, unknown> = {}): Client => {
    const made = client({ baseUrl: `${peer.origin}/api`, ...connection }, node);
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

  it('fills the path with URL-encoded values', async () => {
    const msg = await use({ path: '/orders/{payload.id}/items?on={day}' }).send({
      payload: { id: 'a/b ?#ü' },
      day: '1&2',
    });
    assert.equal(peer.last.url, '/api/orders/a%2Fb%20%3F%23%C3%BC/items?on=1%262');
    assert.deepEqual(msg.payload, { ok: true });
    assert.equal(msg.statusCode, 200);
    assert.equal(msg.responseUrl, `${peer.origin}${peer.last.url}`);
    assert.equal((msg.responseHeaders as Record<string, string>)['content-type'], 'application/json');
  });

  for (const [name, payload] of [
    ['two dots', { id: '..' }],
    ['one dot', { id: '.' }],
    ['nothing', { id: '' }],
    ['no value', {}],
    ['an object', { id: {} }],
    ['half a character', { id: '\ud800' }],
  ] as const) {
    it(`refuses ${name} as a path value, and sends nothing`, async () => {
      await assert.rejects(use({ path: '/orders/{payload.id}', method: 'DELETE' }).send({ payload }), {
        code: 'BAD_MESSAGE',
        reached: false,
      });
      assert.equal(peer.seen.length, 0);
    });
  }

  for (const url of [
    'http://169.254.169.254/latest',
    'http://2852039166/',
    'http://[::ffff:169.254.169.254]/',
    '//evil.example/x',
    'https://127.0.0.1/',
    'file:///etc/passwd',
    'http://user:pass@127.0.0.1/',
    '/../secret',
    '/%2e%2e/secret',
    '/x/..%2f..%2fsecret',
    '/a\r\nHost: evil',
    '\\\\evil.example',
    '/api2',
    '@evil.example/',
  ]) {
    it(`never lets msg.url lead out of the base URL: ${JSON.stringify(url)}`, async () => {
      const before = use({ path: '/x' });
      const outcome = before.send({ url });
      if (url === '/api2' || url === '@evil.example/') {
        // Harmless: a path below the base URL.
        await outcome;
        assert.ok(peer.last.url.startsWith('/api/'));
        return;
      }
      await assert.rejects(outcome, { code: 'BAD_MESSAGE', kind: 'rejected', reached: false });
      assert.equal(peer.seen.length, 0);
    });
  }

  it('takes msg.url as a path or as an address on the origin, msg.method, msg.query and msg.headers', async () => {
    const http = use({
      path: '/x',
      query: [
        { name: 'a', value: '{payload}' },
        { name: 'b', value: 'table' },
      ],
    });
    await http.send({ url: '/y/z?c=3', payload: 7, query: { b: ['1', 2], d: true } });
    assert.equal(peer.last.url, '/api/y/z?c=3&a=7&b=1&b=2&d=true');
    await http.send({ url: `${peer.origin}/api/full`, payload: 7, method: 'POST', headers: { 'X-Own': 5 } });
    assert.equal(peer.last.method, 'POST');
    assert.equal(peer.last.url, '/api/full?a=7&b=table');
    assert.equal(peer.last.headers['x-own'], '5');
    assert.equal(peer.last.body.toString(), '7');
    await assert.rejects(http.send({ url: `${peer.origin}/other`, payload: 1 }), { code: 'BAD_MESSAGE' });
  });

  for (const [name, headers] of Object.entries({
    'a line break': { 'x-a': 'b\r\nx-evil: 1' },
    'a line feed': { 'x-a': 'b\nx' },
    'a line break in the name': { 'x-a\r\nx-evil': '1' },
    'a space in the name': { 'x a': '1' },
    'a character beyond Latin-1': { 'x-a': '€' },
    Host: { Host: 'evil.example' },
    'Transfer-Encoding': { 'TRANSFER-encoding': 'chunked' },
    'Content-Length': { 'content-length': '0' },
    'Proxy-Authorization': { 'Proxy-Authorization': 'Basic x' },
    'an object': { 'x-a': {} },
  })) {
    it(`refuses ${name} in msg.headers`, async () => {
      await assert.rejects(use({ path: '/x' }).send({ headers }), { code: 'BAD_MESSAGE', reached: false });
      assert.equal(peer.seen.length, 0);
    });
  }

  it('sends one header of each name, whatever its spelling', async () => {
    const http = use(
      { path: '/x', headers: [{ name: 'X-Line', value: '{payload}' }] },
      {
        headers: [
          { name: 'x-line', value: 'default' },
          { name: 'X-Plant', value: 'north' },
        ],
      },
    );
    await http.send({ payload: 'seven', headers: { 'X-LINE': 'message' } });
    assert.equal(peer.last.headers['x-line'], 'message');
    assert.equal(peer.last.headers['x-plant'], 'north');
    await http.send({ payload: 'seven' });
    assert.equal(peer.last.headers['x-line'], 'seven');
    await assert.rejects(http.send({ payload: 'a\r\nb' }), { code: 'BAD_MESSAGE' });
  });

  for (const [format, payload, type, text] of [
    ['json', { a: [1, 'ü'] }, 'application/json', '{"a":[1,"ü"]}'],
    ['json', 'text', 'application/json', '"text"'],
    ['json', null, 'application/json', 'null'],
    ['form', { a: ['1', 2], b: 'x y&z' }, 'application/x-www-form-urlencoded', 'a=1&a=2&b=x+y%26z'],
    ['text', 'grün', 'text/plain; charset=utf-8', 'grün'],
    ['buffer', Buffer.from([0x67, 0x72]), 'application/octet-stream', 'gr'],
  ] as const) {
    it(`sends ${JSON.stringify(payload)} as ${format}`, async () => {
      await use({ path: '/x', method: 'POST', bodyFormat: format }).send({ payload });
      assert.equal(peer.last.headers['content-type'], type);
      assert.equal(peer.last.body.toString(), text);
    });
  }

  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  for (const [format, payload] of [
    ['json', circle],
    ['json', 1n],
    ['json', Buffer.from('x')],
    ['form', 'text'],
    ['form', { a: {} }],
    ['text', {}],
    ['buffer', { type: 'Buffer' }],
  ] as const) {
    it(`refuses a wrong body for ${format} (${typeof payload})`, async () => {
      const wrong = use({ path: '/x', method: 'POST', bodyFormat: format }).send({ payload });
      await assert.rejects(wrong, { code: 'BAD_MESSAGE', reached: false });
      assert.equal(peer.seen.length, 0);
    });
  }

  it('sends no body and no content type without a value, and lets a header name the type', async () => {
    await use({ path: '/x', method: 'POST' }).send({});
    assert.equal(peer.last.headers['content-type'], undefined);
    assert.equal(peer.last.body.length, 0);
    const patch = use({
      path: '/x',
      method: 'PATCH',
      headers: [{ name: 'Content-Type', value: 'application/merge-patch+json' }],
    });
    await patch.send({ payload: {} });
    assert.equal(peer.last.headers['content-type'], 'application/merge-patch+json');
    await use({ path: '/x' }).send({ payload: 'ignored' });
    assert.equal(peer.last.body.length, 0);
  });

  for (const [what, node, connection] of [
    ['an unbalanced brace', { path: '/a/{b' }, {}],
    ['a prototype path', { path: '/a/{__proto__.b}' }, {}],
    ['an address as path', { path: 'https://evil.example/' }, {}],
    ['a dotted path', { path: '/a/../b' }, {}],
    ['a header of the transport', { headers: [{ name: 'Host', value: 'x' }] }, {}],
    ['a broken status list', { successStatus: '2xx' }, {}],
    ['a reversed status range', { successStatus: '299-200' }, {}],
    ['paging without JSON', { paging: 'link', response: 'text' }, {}],
    ['credentials in the address', {}, { baseUrl: 'http://user:secret@127.0.0.1/' }],
    ['a query in the address', {}, { baseUrl: 'http://127.0.0.1/?x=1' }],
    ['no address', {}, { baseUrl: 'plant.example' }],
  ] as const) {
    it(`says what is wrong with ${what}`, async () => {
      const attempt = async (): Promise<unknown> => use({ path: '/x', ...node }, connection).send({});
      await assert.rejects(attempt, (failure: Failure) => {
        assert.equal(failure.kind, 'config');
        assert.ok(!failure.message.includes('secret'));
        return /"|must be/.test(failure.message);
      });
      assert.equal(peer.seen.length, 0);
    });
  }
});
