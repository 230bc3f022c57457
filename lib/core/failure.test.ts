import assert from 'node:assert/strict';
import { isFailure, toFailure } from './failure';

describe('failure', () => {
  it('wraps whatever was thrown, also what has no text', () => {
    const odd: unknown[] = [
      undefined,
      null,
      1,
      '',
      Object.create(null),
      { toString: 1 },
      Symbol('x'),
      new Error(''),
    ];
    for (const thrown of odd) {
      const failure = toFailure(thrown);
      assert.ok(isFailure(failure));
      assert.equal(failure.kind, 'unclassified');
      assert.notEqual(failure.message, '');
    }
  });
});
