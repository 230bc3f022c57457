import assert from 'node:assert/strict';
import { systemClock, type Message } from '../../lib/core';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';
import { start } from './simulator';

describe('http: paging', () => {
  let simulator: Awaited<ReturnType<typeof start>>;
  let peer: Peer;
  const open: Client[] = [];
  const use = (node: Record<string, unknown>, origin = `http://127.0.0.1:${simulator.port}`): Client => {
    const made = client({ baseUrl: origin }, node);
    open.push(made);
    return made;
  };
  const ids = (payload: unknown): string[] => (payload as { id: string }[]).map(({ id }) => id);
  const all = Array.from({ length: 57 }, (_, i) => `A${1001 + i}`);

  beforeEach(async () => {
    simulator = await start({ port: 0, seed: 1, clock: systemClock });
    peer = await new Peer().start();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await Promise.all([simulator.close(), peer.close()]);
  });

  const kinds: readonly (readonly [string, number, Record<string, unknown>])[] = [
    // The simulator's Link header names another origin (no port): it is put on ours.
    ['link', 3, { path: '/orders/link' }],
    ['next', 3, { path: '/orders/next', itemsPath: 'items' }],
    ['cursor', 3, { path: '/orders/cursor', itemsPath: 'items' }],
    ['offset', 3, { path: '/orders/offset', itemsPath: 'items', totalPath: 'total' }],
    // Fewer than asked for, and no total: goes on to the empty page, and loses nothing.
    ['offset', 3, { path: '/orders/offset', itemsPath: 'items', pageSize: 100 }],
    ['page', 3, { path: '/orders/page', pageSize: 20 }],
  ];
  for (const [paging, pages, node] of kinds) {
    it(`joins all pages by ${paging} (${JSON.stringify(node)})`, async () => {
      const msg = await use({ paging, ...node }).send({});
      assert.deepEqual(ids(msg.payload), all);
      assert.equal(msg.pages, pages);
      assert.equal(msg.truncated, false);
    });
  }

  it('sends a message for each page, with parts', async () => {
    const messages = await use({
      path: '/orders/next',
      paging: 'next',
      itemsPath: 'items',
      pageOutput: 'pages',
    }).sendAll({});
    assert.deepEqual(
      messages.map(({ payload }) => ids(payload).length),
      [20, 20, 17],
    );
    const parts = messages.map((msg) => msg['parts'] as { index: number; count?: number });
    assert.deepEqual(
      parts.map(({ index }) => index),
      [0, 1, 2],
    );
    assert.equal(parts.at(-1)?.count, 3);
    assert.equal(messages.at(-1)?.['complete'], true);
  });

  it('fails above a limit, or stops there and says so', async () => {
    const node = { path: '/orders/link', paging: 'link' };
    await assert.rejects(use({ ...node, maxPages: 2 }).send({}), {
      code: 'TOO_MANY_PAGES',
      kind: 'rejected',
    });
    await assert.rejects(use({ ...node, maxItems: 56 }).send({}), { code: 'TOO_MANY_PAGES' });
    for (const limits of [{ maxPages: 2 }, { maxItems: 40 }]) {
      const msg = await use({ ...node, ...limits, atLimit: 'stop' }).send({});
      assert.deepEqual([ids(msg.payload).length, msg.truncated], [40, true]);
    }
    const cut = await use({ ...node, maxItems: 30, atLimit: 'stop' }).send({});
    assert.deepEqual([ids(cut.payload), cut.truncated], [all.slice(0, 30), true]);
    const exact = await use({ ...node, maxItems: 57, maxPages: 3 }).send({});
    assert.deepEqual([ids(exact.payload).length, exact.truncated], [57, false]);
  });

  it('counts all joined pages against the largest answer', async () => {
    peer.reply = (seen, res) => {
      const page = Number(new URL(seen.url, peer.origin).searchParams.get('page'));
      json(page > 9 ? [] : ['x'.repeat(600)])(seen, res);
    };
    await assert.rejects(use({ paging: 'page', maxSize: 2 }, peer.origin).send({}), {
      code: 'RESPONSE_TOO_LARGE',
    });
    assert.ok(peer.seen.length < 6);
  });

  it('notices pages that lead in a circle', async () => {
    peer.reply = json({ items: [1], next: '/b' });
    const circle = use({ path: '/a', paging: 'next', itemsPath: 'items' }, peer.origin).send({});
    await assert.rejects(circle, { code: 'BAD_RESPONSE' });
    assert.equal(peer.seen.length, 2);
  });

  it('puts links to other hosts on the configured origin, with its credentials and no others', async () => {
    const secrets = { apiKeyValue: 'canary-77' };
    const connection = {
      baseUrl: `${peer.origin}/api`,
      authKind: 'apiKey',
      apiKeyName: 'key',
      apiKeyIn: 'query',
    };
    const http = client(connection, { path: '/a', paging: 'next', itemsPath: 'items' }, secrets);
    open.push(http);
    peer.reply = (seen, res) => {
      const first = seen.url.startsWith('/api/a');
      const next = first ? 'https://user:pass@internal.example:9/api/b?key=canary-77&n=2#top' : null;
      json({ items: [seen.url], next })(seen, res);
    };
    const msg: Message = await http.send({});
    assert.deepEqual(msg.payload, ['/api/a?key=canary-77', '/api/b?n=2&key=canary-77']);
    assert.equal(msg.responseUrl, `${peer.origin}/api/b?n=2`);
    peer.reply = json({ items: [], next: 'ftp://x/' });
    await assert.rejects(http.send({}), { code: 'BAD_RESPONSE' });
  });

  for (const [header, next] of [
    ['<https://x/?p=2>; rel=next', '/?p=2'],
    ['</a>; rel="prev", </b>; title="<x>; rel=next"; REL="last next"', '/b'],
    ['</a>; rel="prev", </b,c>; title="a, b"; REL="last next"', '/b,c'],
    ['</a>; title="; rel=next"', undefined],
    ['</a>; rel=prev; rel=next', undefined],
    ['</a>; rel=nextpage', undefined],
    ['<'.repeat(8000), undefined],
  ] as const) {
    it(`reads Link: ${header.slice(0, 60)}`, async () => {
      let served = 0;
      peer.reply = (seen, res) => json([1], 200, served++ === 0 ? { link: header } : {})(seen, res);
      await use({ path: '/x', paging: 'link' }, peer.origin).send({});
      assert.deepEqual(
        peer.seen.map(({ url }) => url),
        next === undefined ? ['/x'] : ['/x', next],
      );
    });
  }

  it('says where a page holds no items', async () => {
    peer.reply = json({ data: [] });
    await assert.rejects(use({ paging: 'link' }, peer.origin).send({}), { code: 'BAD_RESPONSE' });
    await assert.rejects(use({ paging: 'link', itemsPath: 'data.list' }, peer.origin).send({}), {
      code: 'BAD_RESPONSE',
    });
    assert.deepEqual((await use({ paging: 'link', itemsPath: 'data' }, peer.origin).send({})).payload, []);
  });

  it('gives each page of a keyed POST its own key', async () => {
    peer.reply = (seen, res) => json({ items: [1], next: seen.url === '/a' ? '/b' : null })(seen, res);
    const node = { method: 'POST', path: '/a', paging: 'next', itemsPath: 'items', idempotency: true };
    await use(node, peer.origin).send({ payload: {} });
    const keys = peer.seen.map(({ headers }) => headers['idempotency-key']);
    assert.equal(new Set(keys).size, 2);
    assert.equal(keys[1], `${String(keys[0])}-1`);
  });
});
