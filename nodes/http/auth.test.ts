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

  it('renews a refused OAuth token once, inside the call', async () => {
    let issued = 0;
    const good = (seen: { headers: { authorization?: string | undefined } }): boolean =>
      seen.headers.authorization === `Bearer token-${issued}`;
    let refuseNext = 0;
    peer.reply = (seen, res) => {
      if (seen.url === '/token') {
        issued += 1;
        return json({ access_token: `token-${issued}`, token_type: 'Bearer', expires_in: 3600 })(seen, res);
      }
      if (refuseNext > 0 || !good(seen)) {
        refuseNext -= 1;
        return json({ error: 'expired' }, 401)(seen, res);
      }
      json({ ok: true })(seen, res);
    };
    const oauth = { authKind: 'oauth2', tokenUrl: `${peer.origin}/token`, clientId: 'gateway' };
    const http = use(oauth, { clientSecret: CANARY }, { method: 'POST' });
    await http.send({ payload: 1 });
    assert.equal(issued, 1);
    refuseNext = 1;
    await http.send({ payload: 2 });
    assert.equal(issued, 2);
    assert.equal(peer.last.body.toString(), '2');
    refuseNext = 99;
    await assert.rejects(http.send({ payload: 3 }), { kind: 'auth', code: 'AUTH_FAILED' });
    const tries = peer.seen.filter(({ body }) => body.toString() === '3').length;
    assert.ok(tries >= 1 && tries <= 2, `${tries} tries`);
  });
});
