import assert from 'node:assert/strict';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';

describe('http: redirects', () => {
  let home: Peer;
  let other: Peer;
  const open: Client[] = [];
  const use = (
    node: Record<string, unknown> = {},
    connection: Record<string, unknown> = {},
    secrets: Record<string, unknown> = {},
  ): Client => {
    const made = client({ baseUrl: home.origin, ...connection }, { path: '/start', ...node }, secrets);
    open.push(made);
    return made;
  };
  const redirects = (status: number, location: string, until = '/end'): void => {
    home.reply = (seen, res) => {
      if (seen.url.startsWith(until)) json({ at: 'home' })(seen, res);
      else res.writeHead(status, { location }).end('moved');
    };
  };

  beforeEach(async () => {
    [home, other] = await Promise.all([new Peer().start(), new Peer().start()]);
    other.reply = json({ at: 'other' });
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await Promise.all([home.close(), other.close()]);
  });

  for (const [status, method, arrives] of [
    [301, 'GET', 'GET'],
    [302, 'HEAD', 'HEAD'],
    [303, 'GET', 'GET'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [307, 'GET', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'PUT', 'PUT'],
  ] as const) {
    it(`follows ${status} after ${method} with ${arrives} on the same origin`, async () => {
      redirects(status, 'end?x=1');
      const msg = await use({ method }).send({ payload: { a: 1 } });
      assert.equal(home.last.method, arrives);
      assert.equal(home.last.url, '/end?x=1');
      assert.equal(msg.responseUrl, `${home.origin}/end?x=1`);
      const keepsBody = arrives === 'POST' || arrives === 'PUT';
      assert.equal(home.last.body.toString(), keepsBody ? '{"a":1}' : '');
      assert.equal(home.last.headers['content-type'], keepsBody ? 'application/json' : undefined);
    });
  }

  for (const status of [301, 302]) {
    it(`never turns a POST into something else: ${status}`, async () => {
      redirects(status, '/end');
      await assert.rejects(use({ method: 'POST' }).send({ payload: 1 }), {
        code: 'PEER_REJECTED',
        details: { status, origin: home.origin, operation: 'POST /start', location: '/end', body: 'moved' },
      });
      assert.equal(home.seen.length, 1);
    });
  }

  it('follows five times and no more, and not at all when told so', async () => {
    home.reply = (seen, res) => void res.writeHead(302, { location: `${seen.url}x` }).end();
    await assert.rejects(use().send({}), { code: 'REDIRECT_REFUSED' });
    assert.equal(home.seen.length, 6);
    await assert.rejects(use({ followRedirects: false }).send({}), { code: 'PEER_REJECTED' });
    assert.equal(
      (await use({ followRedirects: false, successStatus: '302', response: 'text' }).send({})).statusCode,
      302,
    );
  });

  for (const location of [
    '/',
    '//169.254.169.254/',
    'http://169.254.169.254/',
    'http://2852039166/',
    'file:///etc/passwd',
    'javascript:1',
    'http://',
  ]) {
    const leaves = location !== '/';
    it(`${leaves ? 'refuses' : 'allows'} a redirect to ${location}`, async () => {
      redirects(302, location, '/never');
      if (!leaves)
        home.reply = (seen, res) =>
          void (seen.url === '/' ? res.end('{}') : res.writeHead(302, { location }).end());
      const outcome = use().send({});
      if (leaves) await assert.rejects(outcome, { code: 'REDIRECT_REFUSED', kind: 'rejected' });
      else await outcome;
    });
  }

  const SECRET = 'canary-5e3f';
  const auths: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>])[] = [
    ['basic', { authKind: 'basic', username: 'user' }, { password: SECRET }],
    ['bearer', { authKind: 'bearer' }, { token: SECRET }],
    [
      'API key header',
      { authKind: 'apiKey', apiKeyName: 'X-API-Key', apiKeyIn: 'header' },
      { apiKeyValue: SECRET },
    ],
    [
      'API key query',
      { authKind: 'apiKey', apiKeyName: 'api_key', apiKeyIn: 'query' },
      { apiKeyValue: SECRET },
    ],
  ];
  for (const [name, connection, secrets] of auths) {
    it(`loses every credential on another origin, and on the way back: ${name}`, async () => {
      const loud = {
        ...connection,
        headers: [
          { name: 'X-Own-Key', value: SECRET },
          { name: 'Cookie', value: SECRET },
        ],
        redirectOrigins: [`${other.origin}/`],
      };
      // The hostile server hands the key on in the address.
      home.reply = (seen, res) => {
        if (seen.url.startsWith('/back')) return json({ at: 'home' })(seen, res);
        const query = new URL(seen.url, home.origin).search;
        res.writeHead(302, { location: `${other.origin}/there${query}` }).end();
      };
      other.reply = (_seen, res) => void res.writeHead(302, { location: `${home.origin}/back` }).end();
      const target = use(
        { path: '/start?a=1', headers: [{ name: 'Authorization', value: `own ${SECRET}` }] },
        { ...loud, redirectOrigins: [other.origin, home.origin] },
        secrets,
      );
      const msg = await target.send({ headers: { 'X-More': SECRET } });
      const [first] = home.seen;
      assert.ok(first);
      const credential = JSON.stringify(first);
      assert.ok(
        credential.includes(SECRET) || credential.includes(Buffer.from(`user:${SECRET}`).toString('base64')),
      );
      for (const seen of [other.last, home.last]) {
        assert.deepEqual(
          Object.keys(seen.headers).filter(
            (header) => !['host', 'connection', 'accept', 'accept-encoding', 'user-agent'].includes(header),
          ),
          [],
        );
        assert.ok(!seen.url.includes(SECRET), seen.url);
      }
      assert.equal(other.last.url, '/there?a=1');
      assert.ok(!JSON.stringify({ ...msg, headers: undefined }).includes(SECRET));
      assert.equal(msg.responseUrl, `${home.origin}/back`);
    });
  }

  it('takes only reading requests to a listed origin', async () => {
    redirects(307, `${other.origin}/x`);
    const listed = { redirectOrigins: [other.origin] };
    await assert.rejects(use({ method: 'POST' }, listed).send({ payload: 1 }), { code: 'REDIRECT_REFUSED' });
    assert.equal(other.seen.length, 0);
    assert.deepEqual((await use({}, listed).send({})).payload, { at: 'other' });
    redirects(303, `${other.origin}/x`);
    await use({ method: 'POST' }, listed).send({ payload: { secret: 1 } });
    assert.equal(other.last.method, 'GET');
    assert.equal(other.last.body.length, 0);
  });
});
