import assert from 'node:assert/strict';
import { maskHeaders } from './mask-headers';

const masked = (value: unknown): unknown => JSON.parse(maskHeaders(JSON.stringify(value)));

describe('dead letters: credentials in headers', () => {
  it('are hidden, as text and as list, and nothing else is', () => {
    assert.deepEqual(
      masked({
        headers: {
          Authorization: 'Basic "quoted" \\ x',
          'set-cookie': ['a="1"]', ['b'], 'c'],
          'X-Api-Key': 'k',
          accept: 'cookie',
        },
        cookie: { note: 'no header value' },
        payload: 'say "cookie": "me"',
        last: 1,
      }),
      {
        headers: { Authorization: '•••', 'set-cookie': '•••', 'X-Api-Key': '•••', accept: 'cookie' },
        cookie: { note: 'no header value' },
        payload: 'say "cookie": "me"',
        last: 1,
      },
    );
  });

  it('are looked for in one pass over texts that are no JSON', () => {
    const size = 2_000_000;
    for (const hostile of ['"cookie":[', '"cookie":"', '"cookie":["', '"cookie":["a",', '\\"cookie":"\\']) {
      const text = hostile.repeat(size / hostile.length);
      assert.ok(maskHeaders(text).includes('•••'));
    }
    assert.equal(maskHeaders(`"cookie":"${'\\'.repeat(size)}`), '"cookie":"•••"');
    assert.equal(maskHeaders(`"cookie":[${'['.repeat(size)}`), '"cookie":"•••"');
  });
});
