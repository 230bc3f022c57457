import assert from 'node:assert/strict';
import { settle } from '../../test/helpers/virtual-clock';
import { Scope } from '../core';
import { bearer, bench, CANARY, failureOf } from '../../test/helpers/oauth-bench';
import { send } from '../../test/helpers/token-server';

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
      set.server.answer = (_req, res) => send(res, 503, 'busy', { 'retry-after': '3600' });
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

  it('does not besiege a token endpoint that fails ahead of the expiry', () =>
    bench(async (set) => {
      const auth = set.auth({ refreshAhead: 600_000 });
      await bearer(auth);
      const busy = async (requests: number): Promise<void> => {
        for (let i = 0; i < 50; i += 1) {
          assert.equal(await bearer(auth), 'Bearer access-1');
          await settle();
        }
        while (set.lines.length < requests - 1) await settle();
        for (let i = 0; i < 5; i += 1) await bearer(auth).then(settle);
        assert.equal(set.server.requests.length, requests);
        assert.equal(set.lines.length, requests - 1, 'one warning for each attempt');
      };
      set.server.answer = (_req, res) => send(res, 503, 'busy');
      await set.clock.advance(3_000_000);
      await busy(2);
      await set.clock.advance(5_000);
      set.server.answer = (_req, res) => send(res, 429, '', { 'retry-after': '90' });
      await busy(3);
      await set.clock.advance(89_999);
      await busy(3);
      set.server.answer = undefined;
      await set.clock.advance(1);
      while ((await bearer(auth)) !== 'Bearer access-2') await settle();
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

  it('takes a lifetime that is no number for none', () =>
    bench(async (set) => {
      for (const odd of ['', ' ', true, [], 'soon', -1, null]) {
        const before = set.server.requests.length;
        set.server.expiresIn = odd;
        const auth = set.auth();
        await bearer(auth);
        await bearer(auth);
        assert.equal(set.server.requests.length, before + 1, JSON.stringify(odd));
      }
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
