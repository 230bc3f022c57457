import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { same } from '../../test/queue/same';
import { isFailure, type Failure, type Message } from '../core';
import { decodeMessage, encodedText, encodeMessage } from './codec';

const there = (msg: Message): string => encodedText(encodeMessage(msg));
const back = (msg: Message): Message => decodeMessage(encodeMessage(msg));

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

function keeps(payload: unknown): void {
  const msg = { payload };
  assert.ok(same(back(msg), msg), there(msg));
}

/** An own property of this name, which an assignment would not make. */
function own<T extends object>(target: T, key: string, value: unknown): T {
  return Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

/** Nested in itself so many times. */
function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'core';
  for (let i = 0; i < levels; i += 1) value = wrap(value);
  return value;
}

const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', '\udc00x', '', '$holdfast', '__proto__', '\u2028'),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.bigInt(),
  fc.constantFrom<unknown>(null, undefined, NaN, Infinity, -Infinity, -0, 10n ** 1_500n, -(10n ** 1_500n)),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.float32Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((bytes) => new DataView(bytes.slice().buffer, Math.min(1, bytes.length))),
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
  fc.constantFrom(/a\/b\n[^\]]/giu, new RegExp(''), /x/y),
);
const name = fc.oneof(
  fc.string(),
  fc.constantFrom('$holdfast', 'value', 'id', 'ref', 'shared', 'constructor', 'toJSON', '0', '-1'),
);
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    leaf,
    fc.array(tie('anything'), { maxLength: 4 }),
    fc.dictionary(name, tie('anything'), { maxKeys: 4 }),
    fc
      .dictionary(name, tie('anything'), { maxKeys: 3, noNullPrototype: true })
      .map((value) => own(value, '__proto__', 1)),
    fc.array(fc.tuple(tie('anything'), tie('anything')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('anything'), { maxLength: 3 }).map((values) => new Set(values)),
    fc.tuple(fc.string(), tie('anything')).map(([text, cause]) => new TypeError(text, { cause })),
    tie('anything').map((value) => [value, value, { again: value }]),
    fc.sparseArray(tie('anything'), { maxLength: 6, maxNumElements: 3 }),
  ),
}));

describe('message codec', () => {
  it('brings back anything exactly, including which objects are one', () => {
    fc.assert(
      fc.property(anything, name, (value, key) => {
        const msg = own({ payload: value, again: value }, key, value);
        assert.ok(same(back(msg), msg), there(msg));
      }),
      { numRuns: 1_500 },
    );
  });

  it('writes what JSON can hold as plain JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (payload) => {
        const plain = JSON.parse(JSON.stringify({ payload })) as Message;
        assert.equal(there(plain), JSON.stringify(plain));
      }),
    );
  });

  it('keeps each kind of value', () => {
    const holes: unknown[] = [1];
    holes[3] = undefined;
    const match = /(?<unit>b)/.exec('abc');
    const error = new RangeError('too far', { cause: new Error('inner') });
    const all = [
      new AggregateError([error, error], 'many'),
      Object.assign(new Error(), { code: 'ENOENT', errno: -2 }),
      Object.assign(error, { name: 'Renamed' }),
      Object.assign(/g/g, { lastIndex: 3 }),
      Object.assign(Object.create(null) as object, { a: 1, __proto__: null, $holdfast: 'ref' }),
      new Float64Array([NaN, -0, Infinity]),
      new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
      new Uint8ClampedArray([300]),
      new Map<unknown, unknown>([[NaN, new Set([-0, undefined])]]),
      holes,
      match,
      Object.freeze({ a: Object.freeze([1]) }),
      { $holdfast: 'ref', id: 1 },
      { $holdfast: { $holdfast: 'Date' } },
      own({}, '__proto__', { polluted: true }),
      { toJSON: 'no function' },
    ];
    for (const value of all) keeps(value);
    keeps(all);
    assert.equal('polluted' in {}, false);
  });

  it('keeps circles', () => {
    const msg: Message = { payload: {} };
    const map = new Map<unknown, unknown>();
    map.set(map, msg);
    const list: unknown[] = [map];
    list.push(list, new Set([list]));
    const error = new Error('round');
    error.cause = error;
    Object.assign(msg, {
      msg,
      map,
      list,
      error,
      nothing: Object.assign(Object.create(null) as object, { msg }),
    });
    assert.ok(same(back(msg), msg));
  });

  it('takes what a function node made for what it is, although its realm has other prototypes', () => {
    const made = runInNewContext(
      '({ o: { a: [1] }, d: new Date(5), m: new Map([[1, new Set([2])]]), r: /x/g, u: new Uint16Array([7]), ' +
        'e: new TypeError("no"), b: new ArrayBuffer(2), plain: undefined })',
    ) as Message;
    const { e, ...rest } = back(made);
    const expected = { o: { a: [1] }, d: new Date(5), m: new Map([[1, new Set([2])]]), r: /x/g };
    assert.deepEqual(rest, { ...expected, u: new Uint16Array([7]), b: new ArrayBuffer(2), plain: undefined });
    assert.ok(e instanceof TypeError && e.message === 'no');
  });

  it('holds two thousand levels of anything, and refuses more', () => {
    const wraps: ((inner: unknown) => unknown)[] = [
      (inner) => ({ inner }),
      (inner) => [inner],
      (inner) => [undefined, inner],
      (inner) => new Map([[inner, 1]]),
      (inner) => new Set([inner]),
      (cause) => new Error('x', { cause }),
      (inner) => {
        const holder: Record<string, unknown> = { inner };
        return Object.assign(holder, { self: holder });
      },
    ];
    for (const wrap of wraps) {
      const msg = { payload: nested(1_999, wrap) };
      assert.deepEqual(encodeMessage(back(msg)), encodeMessage(msg));
      assert.match(
        failure(() => encodeMessage({ payload: nested(2_000, wrap) })).message,
        /deeper than 2000 levels/,
      );
    }
    assert.equal(
      failure(() => encodeMessage({ payload: nested(200_000, (inner) => [inner]) })).code,
      'NOT_STORABLE',
    );
  });

  it('refuses what it cannot bring back, and says where and what to do', () => {
    class Pump {
      speed = 1;
    }
    class Mistake extends Error {}
    const throwing = new Proxy({}, { ownKeys: () => assert.fail(), getPrototypeOf: () => assert.fail() });
    const cases: [Message, RegExp][] = [
      [{ payload: () => 1 }, /^msg\.payload holds a function, /],
      [{ a: { b: [0, Symbol('x')] } }, /^msg\.a\.b\[1\] holds a symbol, /],
      [{ 'a b': new Pump() }, /^msg\["a b"\] holds a Pump, /],
      [{ req: new Pump(), x: 1 }, /^msg\.req holds a Pump, .* Remove msg\.req and msg\.res, which belong to/],
      [{ payload: new Mistake() }, /^msg\.payload holds a Mistake, /],
      [{ payload: throwing }, /^msg\.payload holds a proxy, /],
      [
        { payload: Object.setPrototypeOf({}, throwing) as object },
        /^msg\.payload holds an object of an unknown class/,
      ],
      [{ payload: Promise.resolve() }, /^msg\.payload holds a Promise, /],
      [{ payload: new WeakMap() }, /^msg\.payload holds a WeakMap, /],
      [{ payload: Object(1) as object }, /^msg\.payload holds a Number, /],
      [{ payload: new SharedArrayBuffer(1) }, /^msg\.payload holds a SharedArrayBuffer, /],
      [{ payload: new Uint8Array(new SharedArrayBuffer(1)) }, /^msg\.payload holds a Uint8Array, /],
      [
        { payload: runInNewContext('new ArrayBuffer(1, { maxByteLength: 9 })') as unknown },
        /^msg\.payload holds an ArrayBuffer, /,
      ],
      [
        {
          payload: {
            get now() {
              return assert.fail();
            },
          },
        },
        /^msg\.payload\.now is computed by a function/,
      ],
      [
        { payload: Object.defineProperty([1], 0, { get: () => assert.fail() }) },
        /^msg\.payload\["0"\] is computed by/,
      ],
      [{ payload: Object.defineProperty({}, 'x', { value: 1 }) }, /^msg\.payload\.x is hidden/],
      [{ payload: { [Symbol('x')]: 1 } }, /^msg\.payload has a property that is named by a symbol/],
      [{ payload: Object.assign(new Date(), { x: 1 }) }, /^msg\.payload\.x is an extra property of a Date/],
      [{ payload: Object.assign(new Map(), { x: 1 }) }, /^msg\.payload\.x is an extra property of a Map/],
      [
        { payload: Object.assign(Buffer.from('a'), { x: 1 }) },
        /^msg\.payload is a Buffer with extra properties/,
      ],
      [
        { payload: new Array(1_000_002) },
        /^msg\.payload is an array with more than 1000000 missing elements/,
      ],
      [{ payload: new (class Row extends Array {})() }, /^msg\.payload holds a Row, /],
      [
        { payload: runInNewContext('(function () { return arguments; })(1)') as unknown },
        /^msg\.payload holds an Object, /,
      ],
    ];
    for (const [msg, sentence] of cases) {
      const refused = failure(() => encodeMessage(msg));
      assert.equal(refused.code, 'NOT_STORABLE');
      assert.match(refused.message, sentence);
      assert.match(refused.message, /\.$/);
    }
    for (const msg of [null, undefined, [], 'text', new Pump(), () => 1] as unknown as Message[])
      assert.equal(failure(() => encodeMessage(msg)).code, 'NOT_STORABLE');
  });

  it('bounds the size of what it writes, before it has written it', () => {
    const limits = { maxBytes: 1_000 };
    assert.equal(encodeMessage({ payload: 'x'.repeat(986) }, limits).length, 1_000);
    const large: unknown[] = [
      'x'.repeat(987),
      'é'.repeat(600),
      Buffer.alloc(800),
      new Array(400).fill(-0),
      new Array(1_100).fill(1),
      [undefined, 'x'.repeat(990)],
    ];
    for (const payload of large)
      assert.match(failure(() => encodeMessage({ payload }, limits)).message, /1000/);
    assert.equal(failure(() => encodeMessage({ payload: Buffer.alloc(13_000_000) })).code, 'NOT_STORABLE');
  });
});
