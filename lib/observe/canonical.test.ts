import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { canonical } from './canonical';
import { payloadHash, sha256 } from './hash';

/** RFC 8785 appendix B: IEEE 754 bits and their text. */
const NUMBERS: readonly (readonly [string, string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

describe('observe: canonical JSON', () => {
  for (const [bits, expected] of NUMBERS) {
    it(`RFC 8785 appendix B: ${bits}`, () => {
      assert.equal(canonical(Buffer.from(bits, 'hex').readDoubleBE()), expected);
    });
  }

  it('RFC 8785 section 3.2.2: numbers, strings and literals', () => {
    const input = {
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    const expected =
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
    assert.equal(canonical(input), expected);
  });

  it('RFC 8785 section 3.2.3: property names by UTF-16 units', () => {
    const input = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const values = [...(canonical(input) ?? '').matchAll(/:"([^"]*)"/g)].map(([, value]) => value);
    assert.deepEqual(values, [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it('parses back to the same value, whatever the order of properties', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value);
        // JSON knows no negative zero; neither does the canonical form.
        assert.deepEqual(JSON.parse(text ?? ''), JSON.parse(JSON.stringify(value)));
        assert.equal(canonical(reversed(value)), text);
      }),
    );
  });

  it('has no text for what JSON cannot hold', () => {
    const cyclic: unknown[] = [];
    cyclic.push({ cyclic });
    const getter = Object.defineProperty({}, 'x', { enumerable: true, get: () => assert.fail('no') });
    const refused = [
      undefined,
      NaN,
      -Infinity,
      1n,
      Symbol('s'),
      () => 1,
      '\ud800',
      { '\udfff': 1 },
      { a: [undefined] },
      { a: () => 1 },
      new Date(NaN),
      Buffer.from('x'),
      new Float64Array(1),
      new Map([[1, 2]]),
      /x/,
      new URL('http://127.0.0.1/'),
      cyclic,
      getter,
    ];
    for (const value of refused) {
      assert.equal(canonical(value), undefined, typeof value);
      assert.equal(payloadHash([value]), null);
    }
  });

  it('is bounded in depth and size', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 500; i += 1) deep = [deep];
    assert.equal(canonical(deep)?.length, 1001);
    assert.equal(canonical([deep]), undefined);
    for (let i = 0; i < 1_000_000; i += 1) deep = { deep };
    assert.equal(canonical(deep), undefined);
    let wide: unknown = [0, 0];
    for (let i = 0; i < 60; i += 1) wide = [wide, wide];
    assert.equal(canonical(wide), undefined);
    assert.equal(canonical('x'.repeat(16_777_216)), undefined);
  });

  it('takes objects of other realms, dates and missing properties as JSON.stringify does', () => {
    const foreign: unknown = runInNewContext('({ b: [1], a: new Date(0), c: undefined })');
    assert.equal(canonical(foreign), '{"a":"1970-01-01T00:00:00.000Z","b":[1]}');
    assert.equal(canonical(Object.assign(Object.create(null) as object, { a: 1 })), '{"a":1}');
    assert.equal(
      canonical(JSON.parse('[{"__proto__":1,"a":2},{"a":2,"__proto__":1}]')),
      '[{"__proto__":1,"a":2},{"__proto__":1,"a":2}]',
    );
  });

  it('hashes the UTF-8 of the canonical text', () => {
    // FIPS 180-4 example "abc", and RFC 8785's order of names.
    assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    assert.equal(sha256(Buffer.from('abc')), sha256('abc'));
    assert.equal(payloadHash({ b: 'ü', a: 1 }), sha256(Buffer.from('{"a":1,"b":"ü"}', 'utf8')));
  });
});

function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  const out: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value).reverse()) {
    Object.defineProperty(out, name, {
      value: reversed(item),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return out;
}
