import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatCsv, parseDelimited, unguard } from '../lib/editor/csv';

describe('csv', () => {
  it('reads what a spreadsheet puts on the clipboard', () => {
    assert.deepEqual(parseDelimited('name\taddress\r\nflow\t12\r\n"a ""b""\nc"\t7\r\n'), [
      ['name', 'address'],
      ['flow', '12'],
      ['a "b"\nc', '7'],
    ]);
  });

  it('takes semicolons before commas, as a German spreadsheet writes them', () => {
    assert.deepEqual(parseDelimited('scale;unit\n0,5;bar'), [
      ['scale', 'unit'],
      ['0,5', 'bar'],
    ]);
  });

  it('skips empty lines and a byte order mark', () => {
    assert.deepEqual(parseDelimited('\uFEFFa,b\n\n,\n1,\n'), [
      ['a', 'b'],
      ['1', ''],
    ]);
  });

  it('keeps a spreadsheet from running a cell as a formula', () => {
    assert.equal(formatCsv([['=1+2', '-3', '@x']]), "'=1+2,-3,'@x\r\n");
    assert.equal(unguard("'=1+2"), '=1+2');
  });

  it('reads back whatever it wrote', () => {
    const cell = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((text) => `x${text.replace(/\uFEFF/g, '')}x`);
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1 });
    fc.assert(
      fc.property(rows, (table) => {
        const text = formatCsv([['a', 'b', 'c'], ...table]);
        assert.deepEqual(
          parseDelimited(text).slice(1),
          table.map((row) => [...row]),
        );
      }),
    );
  });

  it('ends for any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.ok(Array.isArray(parseDelimited(text)));
      }),
    );
  });
});
