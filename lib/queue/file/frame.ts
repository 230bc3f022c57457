/**
 * A record as it lies in its row: length of the head, time, id, key, body. Both threads move it as bytes; only
 * who needs a part decodes it.
 *
 *   u16 head length | f64 time | u16 bytes of the id | id | key | body
 */
import { crc32 } from 'node:zlib';
import type { Entry } from '../types';

const FIXED = 12;
/** Most bytes of a head: id and key are at most 200 characters, of at most three bytes each. */
export const LONGEST_HEAD = FIXED + 2 * 3 * 200;

export interface Head {
  readonly id: string;
  readonly key: string;
  readonly time: number;
  /** Where the body begins. */
  readonly length: number;
}

export function headLength(row: Buffer): number {
  return row.readUInt16LE(0);
}

export function readKey(row: Buffer): string {
  const from = FIXED + row.readUInt16LE(10);
  const to = row.readUInt16LE(0);
  return from === to ? '' : row.toString('utf8', from, to);
}

export function readHead(row: Buffer): Head {
  const length = row.readUInt16LE(0);
  const key = FIXED + row.readUInt16LE(10);
  return {
    id: row.toString('utf8', FIXED, key),
    key: key === length ? '' : row.toString('utf8', key, length),
    time: row.readDoubleLE(2),
    length,
  };
}

/** Of a row at its position: a row that turns up at another one is not sound either. */
export function checksum(seq: number, row: Uint8Array): number {
  return crc32(row, seq % 2 ** 32);
}

/** Whether the parts of a head lie within the row; false only for a damaged one. */
export function isSound(row: Buffer): boolean {
  if (row.length < FIXED) return false;
  const head = row.readUInt16LE(0);
  return head <= row.length && head <= LONGEST_HEAD && FIXED + row.readUInt16LE(10) <= head;
}

/** Most bytes that `writeRow` needs. */
export function rowBound(entry: Entry): number {
  return FIXED + 3 * (entry.id.length + entry.key.length) + entry.body.byteLength;
}

/** Returns the position behind the row. */
export function writeRow(into: Buffer, at: number, entry: Entry): number {
  const idBytes = into.write(entry.id, at + FIXED, 'utf8');
  const keyFrom = at + FIXED + idBytes;
  const bodyFrom = keyFrom + (entry.key === '' ? 0 : into.write(entry.key, keyFrom, 'utf8'));
  into.writeUInt16LE(bodyFrom - at, at);
  into.writeDoubleLE(entry.time, at + 2);
  into.writeUInt16LE(idBytes, at + 10);
  into.set(entry.body, bodyFrom);
  return bodyFrom + entry.body.byteLength;
}

/** Collects records for the other thread: u32 length of the row, u32 length of its attempts, row, attempts. */
export class FrameWriter {
  #buffer = Buffer.allocUnsafeSlow(1024);
  #used = 0;

  add(entry: Entry, attempts: string): void {
    const before = this.#used;
    this.#reserve(8 + rowBound(entry) + 3 * attempts.length);
    const end = writeRow(this.#buffer, before + 8, entry);
    const attemptBytes = attempts === '' ? 0 : this.#buffer.write(attempts, end, 'utf8');
    this.#buffer.writeUInt32LE(end - before - 8, before);
    this.#buffer.writeUInt32LE(attemptBytes, before + 4);
    this.#used = end + attemptBytes;
  }

  /** The buffer with all records; the writer is used up. */
  take(): ArrayBuffer {
    return this.#buffer.buffer;
  }

  #reserve(more: number): void {
    const need = this.#used + more;
    if (need <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#used);
    this.#buffer = grown;
  }
}

/** Calls `fn` for each record that a `FrameWriter` collected. */
export function eachFrame(
  data: ArrayBuffer,
  count: number,
  fn: (row: Buffer, attempts: string, index: number) => void,
): void {
  const all = Buffer.from(data);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const end = at + 8 + all.readUInt32LE(at);
    const attemptBytes = all.readUInt32LE(at + 4);
    fn(all.subarray(at + 8, end), attemptBytes === 0 ? '' : all.toString('utf8', end, end + attemptBytes), i);
    at = end + attemptBytes;
  }
}
