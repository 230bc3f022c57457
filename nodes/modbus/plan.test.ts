import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planReads, splitBlock } from './plan';
import type { Block, PlanLimits } from './plan';
import { isBitArea } from './tags';
import type { Area, Tag } from './tags';

const AREAS = ['coil', 'discrete', 'holding', 'input'] as const;

function tagAt(unit: number, area: Area, address: number, span: number, name = ''): Tag {
  const type = isBitArea(area) ? 'bits' : 'string';
  return {
    name,
    unit,
    area,
    address,
    span,
    type,
    order: 'abcd',
    length: span,
    bit: 0,
    scale: 1,
    offset: 0,
    eu: '',
  };
}

const tags = fc.array(
  fc
    .tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.constantFrom(...AREAS),
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: 1, max: 8 }),
    )
    .map(([unit, area, address, span]) => tagAt(unit, area, address, span)),
  { maxLength: 80 },
);
const limits = fc.record({ gap: fc.integer({ min: 0, max: 124 }), length: fc.integer({ min: 8, max: 125 }) });

const limitOf = (block: Block, { gap, length }: PlanLimits): { gap: number; length: number } =>
  isBitArea(block.area) ? { gap: gap * 16, length: Math.min(2000, length * 16) } : { gap, length };

describe('modbus: planned reads', () => {
  it('covers every tag once, inside its block', () => {
    fc.assert(
      fc.property(tags, limits, (all, limit) => {
        const blocks = planReads(all, limit);
        const seen = blocks.flatMap((block) => block.items.map((item) => item.index)).sort((a, b) => a - b);
        assert.deepEqual(
          seen,
          all.map((_, i) => i),
        );
        for (const block of blocks) {
          for (const { tag, index } of block.items) {
            assert.equal(tag, all[index]);
            assert.equal(`${tag.unit} ${tag.area}`, `${block.unit} ${block.area}`);
            assert.ok(tag.address >= block.address && tag.address + tag.span <= block.address + block.count);
          }
        }
      }),
    );
  });

  it('keeps the longest read and the largest gap', () => {
    fc.assert(
      fc.property(tags, limits, (all, limit) => {
        for (const block of planReads(all, limit)) {
          const { gap, length } = limitOf(block, limit);
          assert.ok(block.count <= length, `${block.count} > ${length}`);
          let end = block.address;
          for (const { tag } of block.items) {
            assert.ok(tag.address - end <= gap);
            end = Math.max(end, tag.address + tag.span);
          }
        }
      }),
    );
  });

  it('needs no more requests than the best partition (small cases, tried exhaustively)', () => {
    const few = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(
        few,
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 30 }),
        (addresses, gap, length) => {
          const sorted = addresses.toSorted((a, b) => a - b);
          const all = sorted.map((address) => tagAt(1, 'holding', address, 1));
          assert.equal(planReads(all, { gap, length }).length, fewest(sorted, gap, length));
        },
      ),
    );
  });

  it('reads 1,000 tags in 100 blocks over 1,250 registers with ten requests', () => {
    const all = Array.from({ length: 1000 }, (_, i) =>
      tagAt(1, 'holding', Math.floor(Math.floor(i / 10) * 12.5) + (i % 10), 1),
    );
    assert.equal(planReads(all, { gap: 16, length: 125 }).length, 10);
  });

  it('refuses a tag that is longer than the connection allows', () => {
    assert.throws(
      () => planReads([tagAt(1, 'holding', 0, 30, 'text')], { gap: 0, length: 20 }),
      /"text" needs 30/,
    );
  });
});

/** By trying every way to cut the sorted list. */
function fewest(sorted: readonly number[], gap: number, length: number): number {
  let best = Infinity;
  for (let cuts = 0; cuts < 2 ** (sorted.length - 1); cuts += 1) {
    let start = sorted[0] ?? 0;
    let count = 1;
    const possible = sorted.every((address, i) => {
      if (i === 0) return true;
      if ((cuts >> (i - 1)) & 1) {
        count += 1;
        start = address;
        return true;
      }
      return address - ((sorted[i - 1] ?? 0) + 1) <= gap && address + 1 - start <= length;
    });
    if (possible) best = Math.min(best, count);
  }
  return best;
}

describe('modbus: splitting a refused block', () => {
  it('keeps every tag and ends at single tags', () => {
    fc.assert(
      fc.property(tags, (all) => {
        const left = planReads(all, { gap: 50, length: 125 });
        const single: Block[] = [];
        for (let block = left.pop(); block; block = left.pop()) {
          const halves = splitBlock(block);
          if (halves) left.push(...halves);
          else single.push(block);
        }
        assert.deepEqual(
          single.map((block) => block.items[0]?.index).sort((a, b) => Number(a) - Number(b)),
          all.map((_, i) => i),
        );
        for (const block of single) assert.equal(block.count, block.items[0]?.tag.span);
      }),
    );
  });

  it('cuts at the widest gap', () => {
    const [block] = planReads(
      [0, 1, 2, 12, 13].map((address) => tagAt(1, 'holding', address, 1)),
      { gap: 16, length: 125 },
    );
    assert.ok(block);
    assert.deepEqual(
      splitBlock(block)?.map(({ address, count }) => [address, count]),
      [
        [0, 3],
        [12, 2],
      ],
    );
  });
});
