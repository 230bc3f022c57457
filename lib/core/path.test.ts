import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isFailure } from './failure';
import { deletePath, getPath, parsePath, setPath } from './path';

describe('paths', () => {
  it('reads names, indexes and quoted names', () => {
    assert.deepEqual(parsePath('payload.a[2]["c d"].e'), ['payload', 'a', 2, 'c d', 'e']);
    assert.deepEqual(parsePath("a['it\\'s']"), ['a', "it's"]);
  });

  it('refuses every way to a prototype, with a sentence', () => {
    const ways = [
      '__proto__.x',
      'constructor.prototype.x',
      'a["__proto__"].x',
      "a['constructor']",
      'a.prototype',
      'a["__pro\\to__"]',
    ];
    for (const way of ways) {
      assert.throws(
        () => parsePath(way),
        (error) => isFailure(error) && /prototype/.test(error.message),
        way,
      );
    }
  });

  it('refuses what is no path', () => {
    for (const text of ['', '.', 'a..b', 'a[', 'a[x]', '[999999999]', 'a'.concat('.b'.repeat(100))]) {
      assert.throws(() => parsePath(text), isFailure, text);
    }
  });

  it('sees own properties only', () => {
    assert.equal(getPath({}, ['toString']), undefined);
    assert.equal(getPath({ a: [1, 2] }, ['a', 'length']), 2);
    assert.equal(getPath({ a: null }, ['a', 'b']), undefined);
    assert.equal(getPath(JSON.parse('{"__proto__":{"x":1}}'), ['x']), undefined);
  });

  it('creates what is missing and does not walk through scalars', () => {
    const root = {};
    assert.equal(setPath(root, ['a', 0, 'b'], 1), true);
    assert.deepEqual(root, { a: [{ b: 1 }] });
    assert.equal(setPath(root, ['a', 0, 'b', 'c'], 1), false);
    deletePath(root, ['a', 0]);
    assert.deepEqual(root, { a: [] });
  });

  it('never pollutes, whatever the segments are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'prototype')), {
          maxLength: 5,
        }),
        (path) => {
          setPath({}, path, 'polluted');
          assert.equal(Object.values(Object.prototype).length, 0);
          assert.equal(({} as Record<string, unknown>).x, undefined);
        },
      ),
    );
  });
});
