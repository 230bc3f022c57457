import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import type { Failure } from '../../lib/core';
import { makeAuthority, type Authority } from '../../test/faults';
import { client, json, Peer, type Client } from '../../test/helpers/http-peer';

describe('http: TLS', () => {
  let authority: Authority;
  let stranger: Authority;
  const peers: Peer[] = [];
  const open: Client[] = [];
  const serve = async (options: ConstructorParameters<typeof Peer>[0]): Promise<Peer> => {
    const peer = await new Peer(options).start();
    peer.server.on('tlsClientError', () => {});
    peer.reply = json({ ok: true });
    peers.push(peer);
    return peer;
  };
  const use = (
    peer: Peer,
    connection: Record<string, unknown> = {},
    secrets: Record<string, unknown> = {},
  ): Client => {
    const made = client(
      { baseUrl: peer.origin, tlsCa: authority.cert, ...connection },
      { path: '/x' },
      secrets,
    );
    open.push(made);
    return made;
  };
  const refuses = async (peer: Peer, connection: Record<string, unknown>, words: RegExp): Promise<void> => {
    await assert.rejects(use(peer, connection).send({}), (failure: Failure) => {
      assert.equal(failure.code, 'TLS_FAILED');
      assert.equal(failure.kind, 'config');
      assert.match(failure.message, words);
      assert.ok(failure.message.includes(peer.origin));
      return true;
    });
    assert.equal(peer.seen.length, 0);
  };

  before(() => {
    authority = makeAuthority();
    stranger = makeAuthority('Another authority');
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    for (const one of peers.splice(0)) await one.close();
  });

  it('trusts the configured authority', async () => {
    const peer = await serve(authority.issue(['127.0.0.1']));
    assert.deepEqual((await use(peer).send({})).payload, { ok: true });
  });

  it('refuses a wrong host, before a request is sent', async () => {
    await refuses(await serve(authority.issue(['other.example'])), {}, /certificate of another host/);
  });

  it('takes the configured server name for the host', async () => {
    const peer = await serve(authority.issue(['plant.example']));
    await use(peer, { tlsServerName: 'plant.example' }).send({});
    await refuses(
      await serve(authority.issue(['127.0.0.1'])),
      { tlsServerName: 'plant.example' },
      /another host/,
    );
  });

  it('refuses an expired certificate', async () => {
    await refuses(await serve(authority.issue(['127.0.0.1'], new Date(0))), {}, /expired/);
  });

  it('refuses an unknown authority', async () => {
    await refuses(await serve(stranger.issue(['127.0.0.1'])), {}, /unknown authority|CA certificates/);
    await refuses(await serve(authority.issue(['127.0.0.1'])), { tlsCa: '' }, /CA certificates/);
  });

  it('refuses a version below the minimum', async () => {
    const old = await serve({ ...authority.issue(['127.0.0.1']), maxVersion: 'TLSv1.2' });
    await use(old).send({});
    old.seen.length = 0;
    await refuses(old, { tlsMinVersion: 'TLSv1.3' }, /TLS/);
  });

  it('says so when the server does not speak TLS, and when it speaks nothing else', async () => {
    const plain = await new Peer().start();
    peers.push(plain);
    await assert.rejects(use(plain, { baseUrl: plain.origin.replace('http:', 'https:') }).send({}), {
      code: 'TLS_FAILED',
    });
    const secure = await serve(authority.issue(['127.0.0.1']));
    const wrong = use(secure, { baseUrl: secure.origin.replace('https:', 'http:') }).send({});
    await assert.rejects(wrong, (failure: Failure) =>
      ['CONNECTION_LOST', 'BAD_RESPONSE'].includes(failure.code),
    );
  });

  it('shows the client certificate at home, and never to a listed stranger', async () => {
    const demanding = { ...authority.issue(['127.0.0.1']), ca: authority.cert, requestCert: true };
    const home = await serve({ ...demanding, rejectUnauthorized: true });
    const other = await serve({ ...demanding, rejectUnauthorized: false });
    const names: unknown[] = [];
    for (const peer of [home, other]) {
      peer.server.on('request', (req: { socket: TLSSocket }) =>
        names.push(req.socket.getPeerCertificate().subject?.CN),
      );
    }
    const own = authority.issue(['gateway-7']);
    const settings = { authKind: 'certificate', tlsCert: own.cert, redirectOrigins: [other.origin] };
    home.reply = (seen, res) => {
      if (seen.url === '/x') res.writeHead(302, { location: `${other.origin}/y` }).end();
      else res.end('{}');
    };
    await use(home, settings, { tlsKey: own.key }).send({});
    assert.deepEqual(names, ['gateway-7', undefined]);
    home.seen.length = 0;
    await assert.rejects(use(home).send({}));
    assert.equal(home.seen.length, 0);
  });

  it('never follows from TLS to plain HTTP, whatever is listed', async () => {
    const plain = await new Peer().start();
    peers.push(plain);
    const peer = await serve(authority.issue(['127.0.0.1']));
    peer.reply = (_seen, res) => void res.writeHead(302, { location: `${plain.origin}/x` }).end();
    await assert.rejects(use(peer, { redirectOrigins: [plain.origin] }).send({}), {
      code: 'REDIRECT_REFUSED',
    });
    assert.equal(plain.seen.length, 0);
  });

  it('skips the check of the certificate only when told so', async () => {
    const peer = await serve(stranger.issue(['other.example']));
    assert.equal((await use(peer, { tlsVerify: 'none' }).send({})).statusCode, 200);
  });
});
