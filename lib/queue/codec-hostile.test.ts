import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isFailure, type Failure, type Message } from '../core';
import { decodeMessage, encodedText, encodeMessage, parseEdited } from './codec';

const there = (msg: Message): string => encodedText(encodeMessage(msg));
const read = (text: string): Message => decodeMessage(Buffer.from(text));

function failure(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    assert.ok(isFailure(error), String(error));
    assert.deepEqual([error.kind, error.reached], ['rejected', false]);
    return error;
  }
  throw new Error('It should have failed.');
}

describe('message codec: what it did not write', () => {
  it('takes no hostile bytes for a message, and lets none reach a prototype', () => {
    const tag = (of: string, rest: object = {}): string =>
      JSON.stringify({ payload: { $holdfast: of, ...rest } });
    const hostile = [
      '',
      'nonsense',
      '{',
      '[]',
      'null',
      '1',
      '"x"',
      '{"a":1}x',
      '{"$holdfast":"undefined"}',
      '{"$holdfast":"Set","value":[]',
      tag('unknown'),
      tag('toString'),
      tag('constructor'),
      tag('__proto__'),
      tag('ref', { id: 1 }),
      tag('ref', { id: '1' }),
      tag('ref'),
      tag('shared', { id: 1, value: 7 }),
      tag('shared', { id: 0, value: {} }),
      tag('shared', { id: 1e300, value: {} }),
      tag('shared', { id: 1, value: { $holdfast: 'shared', id: 1, value: {} } }),
      tag('shared', { id: 1, value: { $holdfast: 'ref', id: 1 } }),
      tag('array', { length: 4_000_000_000, value: {} }),
      tag('array', { length: -1, value: {} }),
      tag('array', { length: 1, value: { 5: 1 } }),
      tag('array', { length: 1, value: { length: 9 } }),
      tag('array'),
      tag('array', { length: 0, value: [] }),
      tag('object'),
      tag('object', { value: [] }),
      tag('bare', { value: null }),
      tag('Map', { value: [[1]] }),
      tag('Map', {
        value: [
          [1, 1],
          [1, 2],
        ],
      }),
      tag('Map', { value: {} }),
      tag('Map'),
      tag('Set', { value: [1, 1] }),
      tag('Set', { value: 'ab' }),
      tag('number', { value: '7' }),
      tag('number'),
      tag('number', { value: 'toString' }),
      tag('BigInt', { value: 'x' }),
      tag('BigInt', { value: '1'.repeat(5_000) }),
      tag('BigInt'),
      tag('Date', { value: 'yesterday' }),
      tag('Date', { value: 5 }),
      tag('Date'),
      tag('RegExp', { source: '(', flags: '', lastIndex: 0 }),
      tag('RegExp', { source: 'a', flags: 'gg', lastIndex: 0 }),
      tag('RegExp', { source: 'a', flags: '' }),
      tag('Buffer', { value: 'not base64!' }),
      tag('Buffer', { value: 7 }),
      tag('Buffer'),
      tag('Float64Array', { value: 'AAAA' }),
      tag('ArrayBuffer', { value: [1] }),
      tag('Error', { name: 'Function', hidden: {}, value: {} }),
      tag('Error', { name: 'toString', hidden: {}, value: {} }),
      tag('Error', { name: 'Error', value: {} }),
      '['.repeat(100_000),
      `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      `{"a":${'{"$holdfast":"Set","value":['.repeat(5_000)}${']}'.repeat(5_000)}}`,
    ];
    const shared = '{"$holdfast":"shared","id":1,"value":{}}';
    hostile.push(`{"a":${shared},"b":${shared}}`);
    for (const text of hostile)
      assert.equal(failure(() => read(text)).code, 'BAD_MESSAGE', text.slice(0, 200));
    for (const bytes of [[0xff, 0xfe], [0xc3], [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]])
      assert.equal(failure(() => decodeMessage(Uint8Array.from(bytes))).code, 'BAD_MESSAGE');
    assert.equal(failure(() => decodeMessage(Buffer.from('{"a":1}'), { maxBytes: 6 })).code, 'BAD_MESSAGE');
  });

  it('sets what is called like a prototype as an own property', () => {
    for (const text of [
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
      '{"__proto__":{"$holdfast":"object","value":{"polluted":1}}}',
      '{"a":{"$holdfast":"object","value":{"__proto__":{"polluted":1}}}}',
      '{"a":{"$holdfast":"Error","name":"Error","hidden":{"__proto__":{"polluted":1}},"value":{}}}',
      '{"a":{"$holdfast":"array","length":1,"value":{"__proto__":{"polluted":1}}}}',
    ]) {
      const msg = read(text);
      const holder = Object.hasOwn(msg, '__proto__') ? msg : (msg['a'] as object);
      assert.ok(Object.hasOwn(holder, '__proto__'), text);
      assert.notEqual(
        Object.getPrototypeOf(holder),
        Object.getOwnPropertyDescriptor(holder, '__proto__')?.value,
      );
      assert.equal('polluted' in {} || 'polluted' in [], false);
    }
  });

  it('never fails otherwise on bytes that were changed on the way', () => {
    const seeds = [
      { payload: [new Date(1), -0, Buffer.from('abc')] },
      { a: new Map([[1, new Error('x')]]), s: new Set([1n]) },
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds.map((msg) => encodeMessage(msg))),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        (bytes, changes) => {
          const changed = Buffer.from(bytes);
          for (const [at, value] of changes) changed[at % changed.length] = value;
          try {
            encodeMessage(decodeMessage(changed));
          } catch (error) {
            assert.ok(isFailure(error) && error.code === 'BAD_MESSAGE', String(error));
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('takes an edited text in any layout, and stores it as if it had been encoded', () => {
    const msg = { payload: { when: new Date(7), big: 12n }, topic: 'ü' };
    const edited = JSON.stringify(JSON.parse(there(msg)), undefined, 2).replace('"ü"', '"x\\u0024"');
    assert.deepEqual(decodeMessage(parseEdited(edited)), { ...msg, topic: 'x$' });
    assert.deepEqual(parseEdited(there(msg)), encodeMessage(msg));
    // An escape must not smuggle a tag past the reader.
    const hidden = '{"payload":{"\\u0024holdfast":"Date","value":"1970-01-01T00:00:00.007Z"}}';
    assert.deepEqual(decodeMessage(parseEdited(hidden)), { payload: new Date(7) });
    assert.deepEqual(read(hidden), { payload: new Date(7) });
  });

  it('refuses an edited text that is no message, without repeating it', () => {
    for (const text of ['', '{', '[1]', '"secret"', '{"payload":{"$holdfast":"Date","value":"secret"}}']) {
      const refused = failure(() => parseEdited(text));
      assert.equal(refused.code, 'BAD_MESSAGE');
      assert.doesNotMatch(refused.message, /secret/);
    }
    assert.equal(
      failure(() => parseEdited(`{"a":"${'é'.repeat(600)}"}`, { maxBytes: 1_000 })).code,
      'BAD_MESSAGE',
    );
  });
});
