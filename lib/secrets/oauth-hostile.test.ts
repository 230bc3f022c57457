import assert from 'node:assert/strict';
import { settle } from '../../test/helpers/virtual-clock';
import { isFailure } from '../core';
import { bearer, bench, CANARY, failureOf } from '../../test/helpers/oauth-bench';
import { send, startTokenServer } from '../../test/helpers/token-server';

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
      for (const absurd of ['999999999', '9'.repeat(400), 'Fri, 31 Dec 9999 23:59:59 GMT']) {
        set.server.answer = (_req, res) => send(res, 503, '', { 'retry-after': absurd });
        assert.equal((await failureOf(bearer(set.auth()))).retryAfterMs, 86_400_000, absurd);
      }
      for (const senseless of ['-5', '1.5', 'soon', '']) {
        set.server.answer = (_req, res) => send(res, 429, '', { 'retry-after': senseless });
        assert.equal((await failureOf(bearer(set.auth()))).retryAfterMs, undefined, senseless);
      }
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

  it('says what to check when the token endpoint cannot prove who it is', () =>
    bench(async (set) => {
      for (const [code, reason] of [
        ['SELF_SIGNED_CERT_IN_CHAIN', /certificate.*"CA certificates".*token endpoint/],
        ['ERR_TLS_CERT_ALTNAME_INVALID', /certificate/],
        ['CERT_HAS_EXPIRED', /certificate/],
      ] as const) {
        const error = Object.assign(new Error(`quotes ${CANARY}`), { code });
        const failure = await failureOf(bearer(set.auth({}, { post: () => Promise.reject(error) })));
        assert.equal(failure.kind, 'config', code);
        assert.match(failure.message, reason);
        assert.ok(failure.message.includes(code));
      }
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
