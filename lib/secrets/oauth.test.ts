import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { settle, VirtualClock } from '../../test/helpers/virtual-clock';
import { isFailure, Scope, type Failure, type Log, type StateStore } from '../core';
import { createAuth, type ClosableAuth } from './auth';
import { Redactor } from './redact';
import { nodeTokenHttp, type TokenHttp } from './token-http';
import { send, startTokenServer, type ServerOptions, type TokenServer } from './token-server.test';

const CANARY = 'canary-7f3a9b/+ "x';

class MemoryStore implements StateStore {
  value: unknown;
  saves = 0;
  fail = false;
  load = (): Promise<unknown> => Promise.resolve(this.value);
  save = (value: unknown): Promise<void> => {
    if (this.fail) return Promise.reject(new Error('disk full'));
    this.saves += 1;
    this.value = structuredClone(value);
    return Promise.resolve();
  };
}

class Bench {
  readonly clock = new VirtualClock();
  readonly redact = new Redactor();
  readonly store = new MemoryStore();
  readonly lines: string[] = [];
  readonly #auths: ClosableAuth[] = [];

  constructor(readonly server: TokenServer) {}

  auth(settings: Record<string, unknown> = {}, http: TokenHttp = nodeTokenHttp()): ClosableAuth {
    const keep = (text: string): void => void this.lines.push(text);
    const log: Log = { error: keep, warn: keep, info: keep, debug: keep };
    const values = {
      authKind: 'oauth2',
      oauthGrant: 'client_credentials',
      tokenUrl: this.server.url,
      clientId: 'gateway',
      clientSecret: CANARY,
      clientAuth: 'basic',
      refreshAhead: 60_000,
      ...settings,
    };
    const deps = { clock: this.clock, random: () => 0.5, store: this.store, http, log, redact: this.redact };
    const auth = createAuth(values, deps);
    this.#auths.push(auth);
    return auth;
  }

  async close(): Promise<void> {
    for (const auth of this.#auths) {
      auth.close();
      await auth.settled();
    }
    await settle();
    await this.server.close();
    assert.equal(this.redact.size, 0, 'every secret is forgotten on close');
    assert.equal(this.clock.pending, 0, 'no timer is left');
    assert.ok(!this.lines.join('\n').includes(CANARY), 'no secret in the log');
  }
}

async function bench(run: (bench: Bench) => Promise<void>, options: ServerOptions = {}): Promise<void> {
  const set = new Bench(await startTokenServer({ clientId: 'gateway', clientSecret: CANARY, ...options }));
  try {
    await run(set);
  } finally {
    await set.close();
  }
}

const bearer = async (auth: ClosableAuth): Promise<string | undefined> =>
  (await auth.parts(new Scope())).headers.authorization;

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(isFailure(error), String(error));
  const all = [
    error.message,
    JSON.stringify(error.toRecord()),
    String(error.stack),
    String(error.cause),
  ].join('\n');
  assert.ok(!all.includes('canary-7f3a9b'), 'no secret in the failure');
  return error;
}

describe('secrets: OAuth2 tokens', () => {
  for (const clientAuth of ['basic', 'post']) {
    it(`gets a token with client credentials as ${clientAuth}`, () =>
      bench(async (set) => {
        const auth = set.auth({ clientAuth, scope: 'read write', audience: 'urn:api' });
        assert.equal(await bearer(auth), 'Bearer access-1');
        const [form] = set.server.requests;
        assert.equal(form?.scope, 'read write');
        assert.equal(form?.audience, 'urn:api');
        assert.equal(form?.client_secret, clientAuth === 'post' ? CANARY : undefined);
      }));
  }

  it('asks once for a hundred concurrent calls, and keeps the token', () =>
    bench(async (set) => {
      const auth = set.auth();
      const all = await Promise.all(Array.from({ length: 100 }, () => bearer(auth)));
      assert.deepEqual(new Set(all), new Set(['Bearer access-1']));
      await set.clock.advance(3_000_000);
      assert.equal(await bearer(auth), 'Bearer access-1');
      assert.equal(set.server.requests.length, 1);
    }));

  it('replaces the token ahead of its expiry without holding up calls', () =>
    bench(async (set) => {
      const auth = set.auth();
      await bearer(auth);
      await set.clock.advance(3_600_000 - 60_000);
      const during = await Promise.all([bearer(auth), bearer(auth)]);
      assert.deepEqual(during, ['Bearer access-1', 'Bearer access-1']);
      while (set.server.valid.size < 2 || (await bearer(auth)) !== 'Bearer access-2') await settle();
      assert.equal(set.server.requests.length, 2);
    }));

  it('goes on with the present token when the early refresh fails, and waits after the expiry', () =>
    bench(async (set) => {
      const auth = set.auth();
      await bearer(auth);
      set.server.answer = (_req, res) => send(res, 503, 'busy');
      await set.clock.advance(3_600_000 - 30_000);
      assert.equal(await bearer(auth), 'Bearer access-1');
      while (set.lines.length === 0) await settle();
      assert.match(set.lines[0] ?? '', /ahead of its expiry.*status 503/);
      await set.clock.advance(30_000);
      const failure = await failureOf(bearer(auth));
      assert.deepEqual(
        [failure.kind, failure.code, failure.reached],
        ['transient', 'AUTH_UNAVAILABLE', false],
      );
      set.server.answer = undefined;
      assert.equal(await bearer(auth), 'Bearer access-2');
    }));

  it('uses a short-lived token for half of its life, and accepts a lifetime given as text', () =>
    bench(async (set) => {
      set.server.expiresIn = '10';
      const auth = set.auth();
      assert.equal(await bearer(auth), 'Bearer access-1');
      await set.clock.advance(4_999);
      assert.equal(await bearer(auth), 'Bearer access-1');
      assert.equal(set.server.requests.length, 1);
      await set.clock.advance(5_001);
      assert.equal(await bearer(auth), 'Bearer access-2');
    }));

  it('keeps a token without a lifetime until it is refused', () =>
    bench(async (set) => {
      set.server.expiresIn = undefined;
      const auth = set.auth();
      await bearer(auth);
      await set.clock.advance(400 * 86_400_000);
      assert.equal(await bearer(auth), 'Bearer access-1');
      assert.equal(auth.renew(), true);
      assert.equal(await bearer(auth), 'Bearer access-2');
    }));

  it('renews once after a 401, however many calls were refused', () =>
    bench(async (set) => {
      const auth = set.auth();
      await bearer(auth);
      const retried = Array.from({ length: 20 }, () => (assert.equal(auth.renew(), true), bearer(auth)));
      assert.deepEqual(new Set(await Promise.all(retried)), new Set(['Bearer access-2']));
      assert.equal(auth.renew(), true, 'a straggler may try again with the new token');
      assert.equal(await bearer(auth), 'Bearer access-2');
      await set.clock.advance(10_000);
      assert.equal(auth.renew(), true);
      assert.equal(await bearer(auth), 'Bearer access-3');
    }));

  it('one caller that gives up does not cancel the exchange of the others', () =>
    bench(async (set) => {
      let release = (): void => {};
      set.server.answer = (_req, res) => {
        release = () => send(res, 200, { access_token: 'late', token_type: 'bearer' });
      };
      const auth = set.auth();
      const scope = new Scope();
      const gone = auth.parts(scope);
      const stays = bearer(auth);
      while (set.server.requests.length === 0) await settle();
      scope.abort();
      assert.equal((await failureOf(gone)).kind, 'cancelled');
      assert.equal(scope.listenerCount, 0);
      release();
      assert.equal(await stays, 'Bearer late');
    }));

  it('gives up on a token endpoint that stays silent', () =>
    bench(async (set) => {
      set.server.answer = () => {};
      const waiting = bearer(set.auth());
      const failure = failureOf(waiting);
      while (set.server.requests.length === 0) await settle();
      await set.clock.advance(30_000);
      assert.match((await failure).message, /did not answer within 30 seconds/);
      assert.equal((await failure).kind, 'transient');
    }));

  it('remembers a refusal, so that waiting messages do not lock the account', () =>
    bench(async (set) => {
      const auth = set.auth({ clientSecret: `${CANARY} old` });
      const failure = await failureOf(bearer(auth));
      assert.deepEqual([failure.kind, failure.code, failure.reached], ['auth', 'AUTH_FAILED', false]);
      assert.match(failure.message, /invalid_client.*Check "Client ID", "Client secret"/);
      await failureOf(bearer(auth));
      assert.equal(set.server.requests.length, 1);
      await set.clock.advance(30_000);
      await failureOf(bearer(auth));
      assert.equal(set.server.requests.length, 2);
    }));

  it('refuses calls after close', () =>
    bench(async (set) => {
      const auth = set.auth();
      auth.close();
      assert.equal((await failureOf(bearer(auth))).kind, 'cancelled');
      assert.equal(auth.renew(), false);
      assert.equal(set.server.requests.length, 0);
    }));
});

describe('secrets: refresh token rotation', () => {
  const settings = { oauthGrant: 'refresh_token', refreshToken: 'refresh-0' };
  const rotating = { rotate: true };

  it('stores the new refresh token before the new access token is used', () =>
    bench(async (set) => {
      const auth = set.auth(settings);
      const order: string[] = [];
      const { save } = set.store;
      set.store.save = async (value) => {
        await settle();
        await save(value);
        order.push('stored');
      };
      await auth.parts(new Scope()).then(() => order.push('used'));
      assert.deepEqual(order, ['stored', 'used']);
      assert.ok(JSON.stringify(set.store.value).includes('refresh-1'));
    }, rotating));

  it('goes on with the stored token after a crash between storing and use', () =>
    bench(async (set) => {
      const { save } = set.store;
      let end = (): void => {};
      set.store.save = async (value) => {
        await save(value);
        // For the first process nothing after the save runs until the end of the test.
        await new Promise<void>((resolve) => (end = resolve));
      };
      const crashed = bearer(set.auth(settings));
      while (set.store.saves === 0) await settle();
      set.store.save = save;
      const restarted = new Bench(set.server);
      restarted.store.value = set.store.value;
      const auth = restarted.auth(settings);
      assert.equal(await bearer(auth), 'Bearer access-2');
      assert.equal(set.server.requests[1]?.refresh_token, 'refresh-1');
      auth.close();
      await auth.settled();
      end();
      await crashed;
    }, rotating));

  it('holds a rotated token back until it can be saved', () =>
    bench(async (set) => {
      const auth = set.auth(settings);
      set.store.fail = true;
      const failure = await failureOf(bearer(auth));
      assert.match(failure.message, /cannot be saved: check the disk/);
      assert.equal(failure.kind, 'transient');
      await failureOf(bearer(auth));
      assert.equal(set.server.requests.length, 1, 'the new token is not used while it is not safe');
      set.store.fail = false;
      assert.equal(await bearer(auth), 'Bearer access-2');
      assert.equal(set.server.requests[1]?.refresh_token, 'refresh-1');
    }, rotating));

  it('prefers a newly entered refresh token over the stored one', () =>
    bench(async (set) => {
      await bearer(set.auth(settings));
      set.server.refreshToken = 'entered-anew';
      assert.equal(await bearer(set.auth({ ...settings, refreshToken: 'entered-anew' })), 'Bearer access-2');
    }, rotating));

  it('says what to do when the grant has ended', () =>
    bench(async (set) => {
      const failure = await failureOf(bearer(set.auth({ ...settings, refreshToken: `revoked ${CANARY}` })));
      assert.equal(failure.kind, 'auth');
      assert.match(failure.message, /invalid_grant.*enter a new refresh token/);
    }, rotating));

  it('finishes a refresh that close interrupts, and stores its token', () =>
    bench(async (set) => {
      let release = (): void => {};
      set.server.answer = (_req, res) => {
        release = () =>
          send(res, 200, { access_token: 'a', token_type: 'bearer', refresh_token: 'after-close' });
      };
      const auth = set.auth(settings);
      const failure = failureOf(bearer(auth));
      while (set.server.requests.length === 0) await settle();
      auth.close();
      assert.equal((await failure).kind, 'cancelled');
      release();
      await auth.settled();
      assert.ok(JSON.stringify(set.store.value).includes('after-close'));
    }, rotating));
});

describe('secrets: JWT bearer', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const grant = { oauthGrant: 'jwt_bearer', jwtIssuer: 'gateway@plant', jwtKeyId: 'k1' };

  for (const [algorithm, pair] of [
    ['RS256', rsa],
    ['PS256', rsa],
    ['ES256', ec],
  ] as const) {
    it(`signs with ${algorithm}`, () =>
      bench(
        async (set) => {
          const jwtKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
          const auth = set.auth({ ...grant, jwtKey, jwtAlgorithm: algorithm });
          assert.equal(await bearer(auth), 'Bearer access-1');
          const [head = '', body = ''] = (set.server.requests[0]?.assertion ?? '').split('.');
          const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
          assert.deepEqual(decode(head), { alg: algorithm, typ: 'JWT', kid: 'k1' });
          const now = set.clock.now() / 1000;
          assert.deepEqual(decode(body), {
            iss: 'gateway@plant',
            sub: 'gateway@plant',
            aud: set.server.url,
            iat: now - 60,
            exp: now + 300,
            jti: '80000000'.repeat(4),
          });
        },
        { jwtKey: pair.publicKey },
      ));
  }

  it('refuses a key that does not fit the algorithm, by the name of the field', () =>
    bench((set) => {
      const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
      const pem = (key: typeof weak): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
      const cases: [string, string, RegExp][] = [
        ['ES256', pem(rsa.privateKey), /"JWT signing key" must be a key on the curve P-256/],
        ['RS256', pem(ec.privateKey), /"JWT signing key" must be an RSA key of at least 2048 bits/],
        ['RS256', pem(weak), /"JWT signing key" must be an RSA key of at least 2048 bits/],
        ['RS256', CANARY, /"JWT signing key" is not an unencrypted private key/],
        ['RS256', '', /"JWT signing key" is empty/],
      ];
      for (const [jwtAlgorithm, jwtKey, expected] of cases) {
        assert.throws(
          () => set.auth({ ...grant, jwtAlgorithm, jwtKey }),
          (error: unknown) => {
            assert.ok(isFailure(error) && error.kind === 'config');
            assert.match(error.message, expected);
            assert.ok(!String(error.stack).includes(CANARY));
            return true;
          },
        );
      }
      return Promise.resolve();
    }));
});

describe('secrets: hostile token endpoints', () => {
  const answers: [string, number, string, string, RegExp][] = [
    ['garbage', 200, '<html>login</html>', 'transient', /not JSON/],
    ['an array', 200, '[1]', 'transient', /not JSON/],
    ['no token', 200, '{"token_type":"bearer"}', 'transient', /without a usable access_token/],
    [
      'a line break in the token',
      200,
      '{"access_token":"a\\r\\nx: y","token_type":"bearer"}',
      'transient',
      /usable/,
    ],
    ['another token type', 200, '{"access_token":"a","token_type":"mac"}', 'auth', /not of type Bearer/],
    ['a missing page', 404, 'no', 'config', /status 404; check "Token URL"/],
    ['a plain 401', 401, 'no', 'auth', /refused the credentials with status 401/],
    ['a passing error', 400, '{"error":"temporarily_unavailable"}', 'transient', /temporarily_unavailable/],
    ['a bad gateway', 502, '<html>', 'transient', /status 502/],
  ];
  for (const [what, status, body, kind, message] of answers) {
    it(`names ${what}`, () =>
      bench(async (set) => {
        set.server.answer = (_req, res) => send(res, status, body);
        const failure = await failureOf(bearer(set.auth()));
        assert.equal(failure.kind, kind);
        assert.equal(failure.reached, false);
        assert.match(failure.message, message);
      }));
  }

  it('reads no more than 64 KiB', () =>
    bench(async (set) => {
      let closed = false;
      set.server.answer = (_req, res) => {
        const pump = (): void => void (res.writable && res.write('x'.repeat(65_536), pump));
        res.on('close', () => (closed = true));
        pump();
      };
      const failure = await failureOf(bearer(set.auth()));
      assert.equal(failure.kind, 'transient');
      assert.match(failure.message, /more than 64 KiB/);
      while (!closed) await settle();
    }));

  it('follows no redirect', () =>
    bench(async (set) => {
      const other = await startTokenServer();
      set.server.answer = (_req, res) => send(res, 307, '', { location: other.url });
      const failure = await failureOf(bearer(set.auth()));
      assert.equal(failure.kind, 'config');
      assert.match(failure.message, /redirects \(status 307\)/);
      assert.equal(other.requests.length, 0);
      await other.close();
    }));

  it('shows error and description of RFC 6749, redacted and bounded, and nothing else of the body', () =>
    bench(async (set) => {
      const description = `wrong ${CANARY}\n${'long '.repeat(1000)}`;
      set.server.answer = (_req, res) =>
        send(res, 400, { error: 'invalid_client', error_description: description, trace: 'internal-host' });
      const failure = await failureOf(bearer(set.auth()));
      assert.match(failure.message, /invalid_client: wrong •••/);
      assert.ok(failure.message.length < 600);
      assert.ok(!JSON.stringify(failure.toRecord()).includes('internal-host'));
      assert.ok(!/[\r\n]/.test(failure.message));
    }));

  it('passes on how long a throttling server asks to wait', () =>
    bench(async (set) => {
      set.server.answer = (_req, res) => send(res, 429, '', { 'retry-after': '7' });
      const inSeconds = await failureOf(bearer(set.auth()));
      assert.deepEqual([inSeconds.kind, inSeconds.retryAfterMs], ['throttled', 7000]);
      const date = new Date(set.clock.now() + 9000).toUTCString();
      set.server.answer = (_req, res) => send(res, 429, '', { 'retry-after': date });
      assert.equal((await failureOf(bearer(set.auth()))).retryAfterMs, 9000);
    }));

  it('names an endpoint that nobody serves, without the query of its address', () =>
    bench(async (set) => {
      const gone = await startTokenServer();
      await gone.close();
      const failure = await failureOf(
        bearer(set.auth({ tokenUrl: `${gone.url}?key=${encodeURIComponent(CANARY)}` })),
      );
      assert.equal(failure.kind, 'transient');
      assert.match(failure.message, /cannot be reached \(ECONNREFUSED\)/);
    }));

  it('refuses a token URL that is not https, not an address, or holds a login', () =>
    bench((set) => {
      const cases: [string, RegExp][] = [
        ['http://login.example.com/token', /"Token URL" must begin with https/],
        ['http://127.0.0.1.example.com/token', /"Token URL" must begin with https/],
        ['ftp://login.example.com/token', /"Token URL" must begin with https/],
        ['login', /"Token URL" is not an address/],
        ['', /"Token URL" is empty/],
        [
          `https://u:${encodeURIComponent(CANARY)}@login.example.com/`,
          /"Token URL" must not hold a user name/,
        ],
        ['https://login.example.com/#x', /"Token URL" must not hold a fragment/],
      ];
      for (const [tokenUrl, message] of cases) {
        assert.throws(
          () => set.auth({ tokenUrl }),
          (error: unknown) => {
            assert.ok(isFailure(error) && error.kind === 'config' && error.code === 'BAD_CONFIG');
            assert.match(error.message, message);
            assert.ok(!error.message.includes('canary'));
            return true;
          },
        );
      }
      return Promise.resolve();
    }));
});
