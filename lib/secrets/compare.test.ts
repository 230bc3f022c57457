import assert from 'node:assert/strict';
import { constantTimeEqual } from './compare';

describe('secrets: constant-time comparison', () => {
  it('tells equal from unequal texts, and never throws', () => {
    const texts = [
      '',
      'a',
      'b',
      'aa',
      'ä',
      'a\u0308',
      '🔑',
      '\ud800',
      '\ud801',
      '\ufffd',
      'x'.repeat(100_000),
    ];
    for (const [i, a] of texts.entries()) {
      for (const [k, b] of texts.entries()) assert.equal(constantTimeEqual(a, b), i === k, `${i} and ${k}`);
    }
  });
});
