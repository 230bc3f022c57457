import assert from 'node:assert/strict';
import { bool, choice, int, number, table, text, typed, type Columns, type TableField } from '../lib/spec';
import { formatCsv, parseDelimited } from '../lib/editor/csv';
import { cellsOf, emptyRow, rowsFrom, savedRows, type Row } from '../lib/editor/rows';
import { checkTable } from '../lib/editor/table-check';

const columns: Columns = {
  name: text({ label: 'Tag', help: 'Its name.', default: '' }),
  area: choice({
    label: 'Area',
    help: 'Where it is.',
    default: 'holding',
    options: { holding: 'Holding register', coil: 'Coil' },
  }),
  address: int({ label: 'Address', help: 'From zero.', default: 0, min: 0, max: 65_535 }),
  length: int({
    label: 'Length',
    help: 'Of coils.',
    default: 1,
    min: 1,
    max: 9,
    showWhen: { area: ['coil'] },
  }),
  scale: number({ label: 'Scale', help: 'Factor.', default: 1 }),
  active: bool({ label: 'Active', help: 'Whether it is read.', default: true }),
};
const tags: TableField = table({
  label: 'Tags',
  help: 'One row each.',
  columns,
  default: [],
  unique: ['name'],
});

const rows = (text: string): Row[] => rowsFrom(parseDelimited(text), columns);

describe('pasted rows', () => {
  it('follow a header of names or labels, whatever its order and case', () => {
    assert.deepEqual(rows('ADDRESS\ttag\tremark\n7\tflow\tignored'), [
      { name: 'flow', area: 'holding', address: '7', length: 1, scale: 1, active: true },
    ]);
  });

  it('follow the columns of the table without a header', () => {
    assert.deepEqual(rows('flow\tcoil\t7'), [
      { name: 'flow', area: 'coil', address: '7', length: 1, scale: 1, active: true },
    ]);
  });

  it('take the label of a choice for its value', () => {
    assert.equal(rows('name,area\nflow,holding REGISTER')[0]?.area, 'holding');
  });

  it('keep a value that is no option, so that the check names it', () => {
    const pasted = rows('name,area\nflow,input');
    assert.equal(pasted[0]?.area, 'input');
    assert.equal(checkTable(tags, pasted).cells.get(0)?.get('area')?.code, 'notOption');
  });

  it('read a decimal comma, but never guess at a thousands separator', () => {
    const scale = (cell: string): unknown => rows(`name;scale\nflow;${cell}`)[0]?.scale;
    assert.equal(scale('0,125'), '0.125');
    assert.equal(scale('-12,5'), '-12.5');
    assert.equal(scale('1,234'), '1,234');
  });

  it('read yes and no in the words of spreadsheets', () => {
    const active = (cell: string): unknown => rows(`name,active\nflow,${cell}`)[0]?.active;
    assert.deepEqual(['TRUE', '1', 'x', 'FALSE', '0', 'no'].map(active), [
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('never reach a prototype through a header', () => {
    const pasted = rows('name,__proto__,address\nflow,x,1');
    assert.equal(Object.getPrototypeOf(pasted[0]), Object.prototype);
    assert.equal(pasted[0]?.address, '1');
  });

  it('come back from an export as they were', () => {
    const source = {
      source: typed({
        label: 'Source',
        help: 'From.',
        default: { type: 'msg', value: '' },
        types: ['msg', 'str'],
      }),
    };
    const before: Row[] = [{ source: 'a:b', sourceType: 'str' }];
    const text = formatCsv(cellsOf(before, source));
    assert.deepEqual(rowsFrom(parseDelimited(text), source), before);
  });
});

describe('table check', () => {
  const row = (changes: Row): Row => ({ ...emptyRow(columns), ...changes });

  it('names each wrong cell by row and column', () => {
    const { cells } = checkTable(tags, [row({ name: 'a' }), row({ name: '', address: 70_000 })]);
    assert.deepEqual([...cells.keys()], [1]);
    assert.deepEqual([...(cells.get(1)?.keys() ?? [])], ['name', 'address']);
  });

  it('does not check a cell that is not shown', () => {
    assert.equal(checkTable(tags, [row({ name: 'a', length: 99 })]).cells.size, 0);
    assert.equal(checkTable(tags, [row({ name: 'a', length: 99, area: 'coil' })]).cells.size, 1);
  });

  it('marks the row that repeats another', () => {
    const { cells, whole } = checkTable(tags, [row({ name: 'a' }), row({ name: 'a' })]);
    assert.equal(whole[0]?.code, 'duplicate');
    assert.deepEqual([...cells.keys()], [1]);
  });
});

describe('saved rows', () => {
  it('have the default of each cell that they lack, and keep the others', () => {
    assert.deepEqual(savedRows([{ name: 'flow', address: 7, active: false }], columns), [
      { name: 'flow', area: 'holding', address: 7, length: 1, scale: 1, active: false },
    ]);
  });

  it('survive whatever a flow file holds in place of a row or a cell', () => {
    const hostile = JSON.parse(
      '{"name":{"toString":1},"__proto__":{"area":"coil"},"constructor":"x"}',
    ) as unknown;
    const rows = savedRows([null, 7, 'text', [1], hostile], columns);
    assert.deepEqual(rows, [{ ...emptyRow(columns), name: '' }]);
    assert.deepEqual(savedRows({ length: 3 }, columns), []);
  });
});
