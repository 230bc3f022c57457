import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseRetryAfter } from './retry-after';

const NOW = Date.UTC(1994, 10, 6, 8, 49, 0);

describe('policy: Retry-After', () => {
  it('reads seconds and the three date forms of RFC 9110', () => {
    assert.equal(parseRetryAfter('120', NOW), 120_000);
    assert.equal(parseRetryAfter(' 0 ', NOW), 0);
    assert.equal(parseRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT', NOW), 37_000);
    assert.equal(parseRetryAfter('Sunday, 06-Nov-94 08:49:37 GMT', NOW), 37_000);
    assert.equal(parseRetryAfter('Sun Nov  6 08:49:37 1994', NOW), 37_000);
  });

  it('gives 0 for a date that has passed and caps what is far away', () => {
    assert.equal(parseRetryAfter('Sun, 06 Nov 1994 08:48:00 GMT', NOW), 0);
    assert.equal(parseRetryAfter('Thu, 06 Nov 2094 08:49:37 GMT', NOW, 5000), 5000);
    assert.equal(parseRetryAfter('9'.repeat(400), NOW, 5000), 5000);
    assert.equal(parseRetryAfter('172800', NOW), 86_400_000);
  });

  it('refuses everything else', () => {
    const wrong = [
      '',
      '-1',
      '1.5',
      '1e3',
      'soon',
      'Sun, 06 Nov 1994',
      '0x10',
      'Sun, 99 Foo 1994 99:99:99 GMT',
    ];
    for (const text of wrong) assert.equal(parseRetryAfter(text, NOW), undefined, text);
  });

  it('never answers outside its bounds', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), (header, now) => {
        const ms = parseRetryAfter(header, now, 1000);
        assert.ok(ms === undefined || (ms >= 0 && ms <= 1000));
      }),
    );
  });
});
