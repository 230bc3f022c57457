import assert from 'node:assert/strict';
import type { Failure } from '../../lib/core';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';

const CANARY = 'canary-4711';

describe('http: credentials', () => {
  let peer: Peer;
  const open: Client[] = [];
  const use = (
    connection: Record<string, unknown>,
    secrets: Record<string, unknown> = {},
    node = {},
  ): Client => {
    const made = client({ baseUrl: peer.origin, ...connection }, { path: '/x?a=1', ...node }, secrets);
    open.push(made);
    return made;
  };

  beforeEach(async () => {
    peer = await new Peer().start();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await peer.close();
  });

  const basic = `Basic ${Buffer.from(`user:${CANARY}`).toString('base64')}`;
  const kinds: readonly (readonly [
    string,
    Record<string, unknown>,
    Record<string, unknown>,
    string,
    string,
  ])[] = [
    ['basic', { authKind: 'basic', username: 'user' }, { password: CANARY }, 'authorization', basic],
    ['bearer', { authKind: 'bearer' }, { token: CANARY }, 'authorization', `Bearer ${CANARY}`],
    ['API key', { authKind: 'apiKey', apiKeyName: 'X-Key' }, { apiKeyValue: CANARY }, 'x-key', CANARY],
  ];
  for (const [name, connection, secrets, header, value] of kinds) {
    it(`sends ${name}, which no message can replace, and shows it nowhere`, async () => {
      const http = use(connection, secrets);
      const msg = await http.send({ headers: { [header.toUpperCase()]: 'mine' } });
      assert.equal(peer.last.headers[header], value);
      assert.ok(!JSON.stringify(msg).includes(CANARY));
      peer.reply = json({ error: 'no' }, 401);
      await assert.rejects(http.send({}), (failure: Failure) => {
        assert.equal(failure.kind, 'auth');
        const everything = `${failure.stack ?? ''}${JSON.stringify(failure)}${JSON.stringify(failure.toRecord())}`;
        return !everything.includes(CANARY) && !everything.includes(value) && failure.cause === undefined;
      });
      // A fixed credential is not tried twice.
      assert.equal(peer.seen.length, 2);
    });
  }

  it('sends an API key in the query and takes it out of msg.responseUrl', async () => {
    const key = { authKind: 'apiKey', apiKeyName: 'key', apiKeyIn: 'query' };
    const msg = await use(key, { apiKeyValue: CANARY }).send({ query: { key: 'mine', b: 2 } });
    assert.equal(peer.last.url, `/x?a=1&b=2&key=${CANARY}`);
    assert.equal(new URL(String(msg.responseUrl)).searchParams.get('key'), null);
    assert.ok(!JSON.stringify(msg).includes(CANARY));
  });

  describe('an API key in the query that the server writes back', () => {
    const key = { authKind: 'apiKey', apiKeyName: 'key', apiKeyIn: 'query' };
    const secret = 'canary/9 f+3"\u00e9';
    const spellings: readonly (readonly [string, string])[] = [
      ['as it was sent', encodeURIComponent(secret)],
      ['with small hex digits', encodeURIComponent(secret).replace(/%../g, (one) => one.toLowerCase())],
      ['as a form', new URLSearchParams({ key: secret }).toString().slice(4)],
      ['encoded twice', encodeURIComponent(encodeURIComponent(secret))],
      ['encoded throughout', Buffer.from(secret).toString('hex').replace(/../g, '%$&')],
      ['plain', secret],
      ['in UTF-8', Buffer.from(secret).toString('latin1')],
      ['quoted', JSON.stringify(secret)],
    ];
    for (const [how, text] of spellings) {
      it(`stands in no header: ${how}`, async () => {
        peer.reply = json({}, 201, {
          link: `</x?key=${text}>; rel="self", </x?b=2&other=${text}&c=3>; rel="next"`,
          location: `${peer.origin}/x?key=${text}&d=4`,
          'content-location': `/keys/${text}`,
          'x-plain': 'left alone',
        });
        const { responseHeaders } = await use(key, { apiKeyValue: secret }).send({});
        const headers = responseHeaders as Record<string, string>;
        const quotes = how === 'quoted' ? '"' : '';
        const mask = `${quotes}•••${quotes}`;
        assert.equal(headers['link'], `</x?key=${mask}>; rel="self", </x?b=2&other=${mask}&c=3>; rel="next"`);
        assert.equal(headers['location'], `${peer.origin}/x?key=${mask}&d=4`);
        assert.equal(headers['content-location'], `/keys/${mask}`);
        assert.equal(headers['x-plain'], 'left alone');
      });
    }

    it('stands in no header that comes several times', async () => {
      peer.reply = (_seen, res) =>
        void res.writeHead(200, { 'set-cookie': [`a=${CANARY}`, 'b=1'] }).end('{}');
      const { responseHeaders } = await use(key, { apiKeyValue: CANARY }).send({});
      assert.deepEqual((responseHeaders as Record<string, unknown>)['set-cookie'], ['a=•••', 'b=1']);
    });

    it('stands in no msg.responseUrl, under whatever name a redirect puts it', async () => {
      peer.reply = (seen, res) =>
        seen.url.startsWith('/x')
          ? void res.writeHead(302, { location: `/y/${CANARY}?again=${CANARY}` }).end()
          : json({})(seen, res);
      const msg = await use(key, { apiKeyValue: CANARY }).send({});
      assert.equal(msg.responseUrl, `${peer.origin}/y/•••?again=•••`);
    });

    it('stands in no failure, in a spelling that nobody else knows', async () => {
      const text = Buffer.from(CANARY).toString('hex').replace(/../g, '%$&');
      peer.reply = json({ asked: `/x?key=${text}` }, 307, { location: `/y/${text}` });
      const http = use(key, { apiKeyValue: CANARY }, { followRedirects: false });
      await assert.rejects(http.send({}), (failure: Failure) => {
        assert.equal(failure.details['location'], '/y/•••');
        return !`${failure.stack ?? ''}${JSON.stringify(failure.toRecord())}`.includes(text);
      });
    });

    it('stands in no failure by halves, where the excerpt ends', async () => {
      peer.reply = (_seen, res) => void res.writeHead(400).end(`${'x'.repeat(495)}${CANARY}`);
      await assert.rejects(use(key, { apiKeyValue: CANARY }).send({}), (failure: Failure) => {
        assert.equal(failure.details['body'], `${'x'.repeat(495)}•••`);
        return true;
      });
    });

    it('leads to the next page all the same', async () => {
      peer.reply = (seen, res) =>
        json(
          [1],
          200,
          seen.url.startsWith('/x') ? { link: `</y/${CANARY}?key=${CANARY}>; rel="next"` } : {},
        )(seen, res);
      const msg = await use(key, { apiKeyValue: CANARY }, { paging: 'link' }).send({});
      assert.deepEqual(msg.payload, [1, 1]);
      assert.equal(peer.last.url, `/y/${CANARY}?key=${CANARY}`);
      assert.equal(msg.responseUrl, `${peer.origin}/y/•••`);
    });

    it('is known by its name when it is too short to be known by itself', async () => {
      peer.reply = json({}, 200, { link: '</x?page=7&key=7>; rel="self"', age: '7' });
      const { responseHeaders } = await use(key, { apiKeyValue: '7' }).send({});
      const headers = responseHeaders as Record<string, string>;
      assert.equal(headers['link'], '</x?page=7&key=•••>; rel="self"');
      assert.equal(headers['age'], '7');
    });
  });

  it('renews a refused OAuth token once, inside the call', async () => {
    let issued = 0;
    const good = (seen: { headers: { authorization?: string | undefined } }): boolean =>
      seen.headers.authorization === `Bearer token-${issued}`;
    let refuseNext = 0;
    let refusal = 'expired';
    peer.reply = (seen, res) => {
      if (seen.url === '/token') {
        issued += 1;
        return json({ access_token: `token-${issued}`, token_type: 'Bearer', expires_in: 3600 })(seen, res);
      }
      if (refuseNext > 0 || !good(seen)) {
        refuseNext -= 1;
        return json({ error: refusal }, 401)(seen, res);
      }
      json({ ok: true })(seen, res);
    };
    const oauth = { authKind: 'oauth2', tokenUrl: `${peer.origin}/token`, clientId: 'gateway' };
    const http = use(oauth, { clientSecret: CANARY }, { method: 'POST', maxSize: 1 });
    await http.send({ payload: 1 });
    assert.equal(issued, 1);
    refuseNext = 1;
    await http.send({ payload: 2 });
    assert.equal(issued, 2);
    assert.equal(peer.last.body.toString(), '2');
    refuseNext = 1;
    refusal = 'a page larger than the limit'.repeat(100);
    await http.send({ payload: 4 });
    assert.equal(peer.seen.filter(({ body }) => body.toString() === '4').length, 2);
    refusal = 'expired';
    refuseNext = 99;
    await assert.rejects(http.send({ payload: 3 }), { kind: 'auth', code: 'AUTH_FAILED' });
    const tries = peer.seen.filter(({ body }) => body.toString() === '3').length;
    assert.ok(tries >= 1 && tries <= 2, `${tries} tries`);
  });
});
