/** Sets of positions: as ranges for SQL, and as few bytes for the disk. */

/** Sorted positions as [first, last] of each unbroken run, in turn. */
export function toRanges(positions: readonly number[]): number[] {
  const sorted = isSorted(positions) ? positions : [...positions].sort((a, b) => a - b);
  const ranges: number[] = [];
  let first = -1;
  let last = -2;
  for (const position of sorted) {
    if (position === last) continue;
    if (position !== last + 1) {
      if (first >= 0) ranges.push(first, last);
      first = position;
    }
    last = position;
  }
  if (first >= 0) ranges.push(first, last);
  return ranges;
}

function isSorted(positions: readonly number[]): boolean {
  for (let i = 1; i < positions.length; i += 1) {
    if ((positions[i] as number) < (positions[i - 1] as number)) return false;
  }
  return true;
}

/** Gaps and lengths of the runs as variable-length numbers: a thousand neighbours take a few bytes. */
export function packPositions(positions: readonly number[]): Uint8Array {
  const ranges = toRanges(positions);
  const bytes = Buffer.allocUnsafe(ranges.length * 8);
  let at = 0;
  let before = 0;
  for (const edge of ranges) {
    let left = edge - before;
    before = edge;
    while (left >= 128) {
      bytes[at++] = (left % 128) | 128;
      left = Math.floor(left / 128);
    }
    bytes[at++] = left;
  }
  return bytes.subarray(0, at);
}

/** The ranges that `packPositions` wrote. What a damaged file holds beyond sense is left out. */
export function unpackRanges(bytes: Uint8Array): number[] {
  const ranges: number[] = [];
  let before = 0;
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte >= 128) continue;
    before += value;
    if (!Number.isSafeInteger(before)) break;
    ranges.push(before);
    value = 0;
    scale = 1;
  }
  return ranges.length % 2 === 0 ? ranges : ranges.slice(0, -1);
}
