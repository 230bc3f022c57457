import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isFailure } from '../../lib/core';
import { bitDecoder, encodeFlags, encodeRegisters, NO_VALUE, registerDecoder } from './codec';
import type { ByteOrder, ValueType } from './codec';
import { resolveTags } from './tags';
import type { Addressing, Tag, TagRow } from './tags';

const ROW: TagRow = {
  name: 't',
  unit: undefined,
  area: 'holding',
  address: 0,
  type: 'uint16',
  order: 'device',
  length: undefined,
  bit: undefined,
  scale: undefined,
  offset: undefined,
  eu: '',
};
const DEVICE = { unit: 1, order: 'abcd' } as const;

function tagOf(row: Partial<TagRow>, counting: Addressing = 'protocol'): Tag {
  const [tag] = resolveTags([{ ...ROW, ...row }], counting, DEVICE);
  assert.ok(tag);
  return tag;
}
const decode = (row: Partial<TagRow>, hex: string): unknown =>
  registerDecoder(tagOf(row))(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 0);
const encode = (row: Partial<TagRow>, value: unknown): string =>
  encodeRegisters(tagOf(row), value).toString('hex');

/** Worked out by hand from IEEE 754 and two's complement; one column an order. */
const ORDERS: readonly ByteOrder[] = ['abcd', 'cdab', 'badc', 'dcba'];
const VECTORS: readonly (readonly [ValueType, unknown, string, string, string, string])[] = [
  ['int16', -2, 'fffe', 'fffe', 'feff', 'feff'],
  ['uint16', 0x1234, '1234', '1234', '3412', '3412'],
  ['int32', -123456789, 'f8a432eb', '32ebf8a4', 'a4f8eb32', 'eb32a4f8'],
  ['uint32', 3735928559, 'deadbeef', 'beefdead', 'addeefbe', 'efbeadde'],
  ['float32', 0.15625, '3e200000', '00003e20', '203e0000', '0000203e'],
  ['int64', -2, 'fffffffffffffffe', 'fffeffffffffffff', 'fffffffffffffeff', 'feffffffffffffff'],
  ['uint64', 4886718345, '0000000123456789', '6789234500010000', '0000010045238967', '8967452301000000'],
  [
    'uint64',
    '81985529216486895',
    '0123456789abcdef',
    'cdef89ab45670123',
    '23016745ab89efcd',
    'efcdab8967452301',
  ],
  ['float64', Math.PI, '400921fb54442d18', '2d18544421fb4009', '0940fb214454182d', '182d4454fb210940'],
];

describe('modbus: values in registers', () => {
  for (const [type, value, ...forms] of VECTORS) {
    forms.forEach((hex, i) => {
      const order = ORDERS[i] ?? 'abcd';
      it(`${type} ${String(value)} as ${order} is ${hex}`, () => {
        assert.equal(decode({ type, order }, hex), value);
        assert.equal(encode({ type, order }, value), hex);
      });
    });
  }

  it('reads and writes back every number in every order', () => {
    const numbers: Record<string, fc.Arbitrary<number>> = {
      int16: fc.integer({ min: -32768, max: 32767 }),
      uint16: fc.integer({ min: 0, max: 65535 }),
      int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      int64: fc.maxSafeInteger(),
      uint64: fc.maxSafeNat(),
      float32: fc.float({ noNaN: true, noDefaultInfinity: true }),
      float64: fc.double({ noNaN: true, noDefaultInfinity: true }),
    };
    for (const [type, values] of Object.entries(numbers)) {
      fc.assert(
        fc.property(values, fc.constantFrom(...ORDERS), (value, order) => {
          const tag = tagOf({ type: type as ValueType, order });
          const read = registerDecoder(tag)(encodeRegisters(tag, value), 0);
          assert.equal(type === 'float32' ? Math.fround(read as number) : read, value);
        }),
      );
    }
  });

  it('takes text with its bytes swapped and stops at the first zero', () => {
    assert.equal(decode({ type: 'string', length: 7 }, '50726f33454d0031'), 'Pro3EM');
    assert.equal(decode({ type: 'string', length: 8, order: 'badc' }, '7250336f4d452020'), 'Pro3EM');
    assert.equal(encode({ type: 'string', length: 5 }, 'abc'), '616263000000');
    assert.equal(encode({ type: 'string', length: 4, order: 'dcba' }, 'abcd'), '62616463');
  });

  it('reads single bits and runs of bits of registers', () => {
    assert.equal(decode({ type: 'bool', bit: 3 }, '0008'), true);
    assert.equal(decode({ type: 'bool', bit: 3, order: 'dcba' }, '0800'), true);
    assert.deepEqual(decode({ type: 'bits', bit: 14, length: 4 }, '80000001'), [false, true, true, false]);
    const coils = bitDecoder(tagOf({ area: 'coil', type: 'bits', length: 3 }));
    assert.deepEqual(coils(Buffer.from([0b1000_0000, 0b0000_0010]), 7), [true, false, true]);
  });

  it('scales without binary noise, both ways', () => {
    assert.equal(decode({ type: 'int16', scale: 0.1 }, '0003'), 0.3);
    assert.equal(decode({ type: 'int16', scale: 0.1, offset: -40 }, '00eb'), -16.5);
    assert.equal(encode({ type: 'int16', scale: 0.1 }, 0.3), '0003');
    assert.equal(encode({ type: 'int16', scale: 0.1, offset: -40 }, -16.5), '00eb');
  });

  it('reads a float32 as the decimal that the device meant', () => {
    const meant: readonly (readonly [string, number])[] = [
      ['41b33333', 22.4],
      ['3dcccccd', 0.1],
      ['c2f6e979', -123.456],
      ['3a83126f', 0.001],
      ['4b18967f', 9_999_999],
      ['7f7fffff', 3.4028234663852886e38],
    ];
    for (const [hex, value] of meant) assert.equal(decode({ type: 'float32' }, hex), value);
  });

  it('gives no value for NaN and infinity', () => {
    for (const hex of ['7fc00000', '7f800000', 'ff800000'])
      assert.equal(decode({ type: 'float32' }, hex), NO_VALUE);
  });

  const refused: readonly (readonly [Partial<TagRow>, unknown, RegExp])[] = [
    [{ type: 'uint16' }, 65536, /from 0 to 65535/],
    [{ type: 'uint16' }, -1, /from 0 to 65535/],
    [{ type: 'int16', scale: 0.1 }, 4000, /after scale and offset it is 40000/],
    [{ type: 'uint16' }, 1.5, /a whole number/],
    [{ type: 'uint16' }, 'warm', /a number/],
    [{ type: 'uint16' }, '', /a number/],
    [{ type: 'uint16' }, null, /nothing/],
    [{ type: 'uint16' }, true, /a number/],
    [{ type: 'float32' }, 1e39, /that a float32 can hold/],
    [{ type: 'float64' }, Infinity, /a number/],
    [{ type: 'string', length: 2 }, 'abc', /at most 2 characters/],
    [{ type: 'string', length: 2 }, '€', /Latin-1/],
    [{ type: 'uint64' }, '18446744073709551616', /from 0 to 18446744073709551615/],
  ];
  for (const [row, value, expected] of refused) {
    it(`refuses ${JSON.stringify(value)} for ${JSON.stringify(row)} before anything is sent`, () => {
      assert.throws(
        () => encodeRegisters(tagOf(row), value),
        (error) =>
          isFailure(error) && error.kind === 'rejected' && !error.reached && expected.test(error.message),
      );
    });
  }

  it('takes only truth values for flags', () => {
    assert.deepEqual(encodeFlags(tagOf({ type: 'bits', length: 2 }), [1, false]), [true, false]);
    assert.throws(() => encodeFlags(tagOf({ type: 'bits', length: 2 }), [true]), /array of 2 booleans/);
    assert.throws(() => encodeFlags(tagOf({ type: 'bool' }), 'on'), /true or false/);
  });
});

describe('modbus: addresses', () => {
  const same: readonly (readonly [Addressing, TagRow['area'], number, number])[] = [
    ['protocol', 'holding', 0, 0],
    ['register', 'holding', 1, 0],
    ['register', 'input', 65536, 65535],
    ['modicon', 'holding', 40001, 0],
    ['modicon', 'holding', 400001, 0],
    ['modicon', 'holding', 465536, 65535],
    ['modicon', 'input', 30010, 9],
    ['modicon', 'discrete', 10001, 0],
    ['modicon', 'discrete', 110000, 9999],
    ['modicon', 'coil', 1, 0],
    ['modicon', 'coil', 10000, 9999],
  ];
  for (const [counting, area, shown, address] of same) {
    it(`${counting} ${shown} of ${area} is ${address} on the wire`, () => {
      const type = area === 'coil' || area === 'discrete' ? 'bool' : 'uint16';
      assert.equal(tagOf({ area, type, address: shown }, counting).address, address);
    });
  }

  it('names every row that cannot be', () => {
    const rows: TagRow[] = [
      { ...ROW, name: 'a', area: 'coil', type: 'int16', address: 1 },
      { ...ROW, name: 'b', address: 30001 },
      { ...ROW, name: 'c', type: 'string', address: 40001 },
      { ...ROW, name: 'd', type: 'float32', address: 465536 },
      { ...ROW, name: 'e', scale: 0, address: 40001 },
      { ...ROW, name: 'f', type: 'string', length: 252, address: 40001 },
    ];
    assert.throws(
      () => resolveTags(rows, 'modicon', DEVICE),
      (error) =>
        isFailure(error) &&
        error.kind === 'config' &&
        [
          /"a".*bool or bits/,
          /"b".*30001.*Modicon/,
          /"c".*length/,
          /"d".*65535/,
          /"e".*scale 0/,
          /"f".*longer/,
        ].every((part) => part.test(error.message)),
    );
  });
});
