import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { settle } from '../../test/helpers/virtual-clock';
import { isFailure, Scope } from '../core';
import { bearer, Bench, bench, CANARY, failureOf } from '../../test/helpers/oauth-bench';
import { send } from '../../test/helpers/token-server';

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
