import assert from 'node:assert/strict';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { isFailure, Scope, silentLog } from '../core';
import { createAuth, type ClosableAuth } from './auth';
import { Redactor } from './redact';

const redact = new Redactor();

function auth(settings: Record<string, unknown>): ClosableAuth {
  return createAuth(settings, {
    clock: new VirtualClock(),
    random: () => 0.5,
    store: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
    http: { post: () => assert.fail('nothing is sent') },
    log: silentLog,
    redact,
  });
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

describe('secrets: fixed credentials', () => {
  const cases: [Record<string, unknown>, Record<string, string>, Record<string, string>][] = [
    [{}, {}, {}],
    [{ authKind: 'none', password: 'left over' }, {}, {}],
    [{ authKind: 'basic', username: 'ü', password: ' a:b ' }, { authorization: basic('ü', ' a:b ') }, {}],
    [{ authKind: 'basic', username: 'ops', password: '' }, { authorization: basic('ops', '') }, {}],
    [{ authKind: 'bearer', token: 'abc.def\n' }, { authorization: 'Bearer abc.def' }, {}],
    [
      { authKind: 'apiKey', apiKeyName: 'X-Key', apiKeyIn: 'header', apiKeyValue: 'key 1' },
      { 'X-Key': 'key 1' },
      {},
    ],
    [
      { authKind: 'apiKey', apiKeyName: 'key', apiKeyIn: 'query', apiKeyValue: 'key&ä' },
      {},
      { key: 'key&ä' },
    ],
    [{ authKind: 'certificate', tlsCert: 'c', tlsKey: 'some key' }, {}, {}],
  ];
  for (const [settings, headers, query] of cases) {
    it(`${String(settings.authKind)}: ${Object.keys({ ...headers, ...query }).join() || 'sends nothing'}`, async () => {
      const made = auth(settings);
      assert.deepEqual(await made.parts(new Scope()), { headers, query });
      assert.equal(made.renew(), false);
      assert.ok(settings.authKind === undefined || redact.size > 0);
      made.close();
      made.close();
      await made.settled();
      assert.equal(redact.size, 0);
    });
  }

  it('gives user name and password to protocols with their own login', () => {
    const made = auth({ authKind: 'basic', username: ' ops ', password: ' p ' });
    assert.deepEqual([made.username, made.password], ['ops', ' p ']);
    made.close();
  });

  it('gives nothing to a call that has ended', async () => {
    const scope = new Scope();
    scope.abort();
    await assert.rejects(auth({}).parts(scope), { kind: 'cancelled' });
  });

  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ authKind: 'kerberos' }, /^"Authentication" must be one of none, basic/],
    [{ authKind: 'basic' }, /^"User name" is empty\.$/],
    [{ authKind: 'basic', username: 'a:b', password: 'canary' }, /^"User name" must not hold a colon/],
    [{ authKind: 'basic', username: 'a', password: 'canary\n' }, /^"Password" holds a control character/],
    [{ authKind: 'bearer', token: '' }, /^"Token" is empty/],
    [{ authKind: 'bearer', token: 'canary\r\nHost: x' }, /^"Token" holds a blank, a line break/],
    [
      { authKind: 'apiKey', apiKeyName: 'X Key', apiKeyValue: 'canary' },
      /^"API key name" is not a header name/,
    ],
    [
      { authKind: 'apiKey', apiKeyName: 'Host', apiKeyValue: 'canary' },
      /^"API key name" is a header that HTTP/,
    ],
    [{ authKind: 'apiKey', apiKeyName: 'X', apiKeyValue: 'canary\nY: z' }, /^"API key" holds a line break/],
    [{ authKind: 'apiKey', apiKeyName: 'X' }, /^"API key" is empty/],
    [{ authKind: 'certificate' }, /^"Client certificate" is empty/],
    [{ authKind: 'certificate', tlsCert: 'c' }, /^"Client key" is empty/],
  ];
  for (const [settings, message] of wrong) {
    it(`refuses: ${message.source.slice(1)}`, () => {
      assert.throws(
        () => auth(settings),
        (error: unknown) => {
          assert.ok(isFailure(error) && error.kind === 'config' && !error.reached);
          assert.match(error.message, message);
          assert.ok(!String(error.stack).includes('canary'));
          return true;
        },
      );
      assert.equal(redact.size, 0);
    });
  }
});
