/**
 * Reads planned into few requests: tags of the same unit and area that lie close together share one, as long
 * as the gap between them and the whole length stay within the device's limits.
 */
import { Failure } from '../../lib/core';
import { bitDecoder, registerDecoder } from './codec';
import type { Decode } from './codec';
import { isBitArea, MAX_READ_BITS, MAX_READ_REGISTERS } from './tags';
import type { Area, Tag } from './tags';

export interface PlanLimits {
  /** Unused registers that a request may read in between. In bit areas sixteen times as many bits. */
  readonly gap: number;
  /** Registers of one request, 1 to 125. In bit areas sixteen times as many bits, at most 2,000. */
  readonly length: number;
}

/** A tag inside a block. */
export interface Item {
  readonly tag: Tag;
  /** Place of its reading in the output. */
  readonly index: number;
  readonly decode: Decode;
}

/** One request. Addresses and counts are registers, or bits in a bit area. */
export interface Block {
  readonly unit: number;
  readonly area: Area;
  readonly address: number;
  readonly count: number;
  /** In address order. */
  readonly items: readonly Item[];
}

/** Plans the requests that read every tag once. `index` follows the order of `tags`. */
export function planReads(tags: readonly Tag[], limits: PlanLimits): Block[] {
  const groups = new Map<string, Item[]>();
  tags.forEach((tag, index) => {
    const decode = isBitArea(tag.area) ? bitDecoder(tag) : registerDecoder(tag);
    const key = `${tag.unit}/${tag.area}`;
    const group = groups.get(key);
    if (group) group.push({ tag, index, decode });
    else groups.set(key, [{ tag, index, decode }]);
  });
  return [...groups.values()].flatMap((items) => planGroup(items, limits));
}

function planGroup(items: Item[], limits: PlanLimits): Block[] {
  items.sort((a, b) => a.tag.address - b.tag.address || a.tag.span - b.tag.span);
  const bits = isBitArea(items[0]?.tag.area ?? 'holding');
  const gap = bits ? limits.gap * 16 : limits.gap;
  const length = bits
    ? Math.min(MAX_READ_BITS, limits.length * 16)
    : Math.min(MAX_READ_REGISTERS, limits.length);
  const blocks: Block[] = [];
  let members: Item[] = [];
  let end = 0;
  for (const item of items) {
    const { address, span, name } = item.tag;
    if (span > length) throw tooLong(name, span, length, bits);
    const start = members[0]?.tag.address ?? address;
    const fits = address - end <= gap && Math.max(end, address + span) - start <= length;
    if (members.length > 0 && !fits) {
      blocks.push(blockOf(members));
      members = [];
    }
    end = members.length > 0 ? Math.max(end, address + span) : address + span;
    members.push(item);
  }
  if (members.length > 0) blocks.push(blockOf(members));
  return blocks;
}

function blockOf(items: readonly Item[]): Block {
  const first = items[0]?.tag;
  if (!first) throw new RangeError('A block needs at least one tag.');
  const end = items.reduce((most, { tag }) => Math.max(most, tag.address + tag.span), 0);
  return { unit: first.unit, area: first.area, address: first.address, count: end - first.address, items };
}

function tooLong(name: string, span: number, length: number, bits: boolean): Failure {
  const what = bits ? 'bits' : 'registers';
  return new Failure(
    'config',
    'BAD_CONFIG',
    `Tag "${name}" needs ${span} ${what}, but the connection allows ${length} a request; raise its longest read.`,
    { reached: false },
  );
}

/**
 * Two halves of a block that the device refused, cut at its widest gap (the one nearest the middle when
 * several are equal), so that repeated splitting closes in on the address that does not exist.
 * Undefined when the block holds one tag.
 */
export function splitBlock(block: Block): readonly [Block, Block] | undefined {
  const { items } = block;
  if (items.length < 2) return undefined;
  const middle = items.length / 2;
  let cut = 0;
  let widest = -Infinity;
  let end = 0;
  items.forEach((item, i) => {
    if (i > 0) {
      const gap = Math.max(0, item.tag.address - end);
      const better = gap > widest || (gap === widest && Math.abs(i - middle) < Math.abs(cut - middle));
      if (better) {
        widest = gap;
        cut = i;
      }
    }
    end = Math.max(end, item.tag.address + item.tag.span);
  });
  return [blockOf(items.slice(0, cut)), blockOf(items.slice(cut))];
}
