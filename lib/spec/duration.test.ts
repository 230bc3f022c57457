import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration';

describe('durations', () => {
  it('reads what people write', () => {
    assert.equal(parseDuration('250ms'), 250);
    assert.equal(parseDuration(' 1m 30s '), 90_000);
    assert.equal(parseDuration('1.5h'), 5_400_000);
    assert.equal(parseDuration('2d'), 172_800_000);
  });

  it('refuses what is no duration', () => {
    for (const text of ['', '5', 's', '5 parsecs', '-1s', '1e9s', '1s!'])
      assert.equal(parseDuration(text), undefined, text);
  });

  it('reads back what it writes', () => {
    fc.assert(fc.property(fc.nat(), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)));
    assert.equal(formatDuration(90_000), '90s');
    assert.equal(formatDuration(3_600_000), '1h');
  });
});
