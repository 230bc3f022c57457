/** Bytes of AMQP 0-9-1: frames, methods and field tables, from section 4.2 of the specification. */

export const FRAME_METHOD = 1;
export const FRAME_HEADER = 2;
export const FRAME_BODY = 3;
export const FRAME_HEARTBEAT = 8;
const FRAME_END = 0xce;
const OVERHEAD = 8;

export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** One field of a table. The value stays as its bytes, so that it leaves as it came. */
export interface Field {
  readonly key: string;
  readonly tag: string;
  readonly raw: Buffer;
}

/** Complete frames of a stream, and what is left; undefined when it is not AMQP or a frame is too large. */
export function cutFrames(
  stream: Buffer,
  largest: number,
): { readonly frames: readonly Frame[]; readonly rest: Buffer } | undefined {
  const frames: Frame[] = [];
  let at = 0;
  while (stream.length - at >= OVERHEAD) {
    const size = stream.readUInt32BE(at + 3);
    if (size + OVERHEAD > largest) return undefined;
    const end = at + 7 + size;
    if (stream.length <= end) break;
    if (stream[end] !== FRAME_END) return undefined;
    frames.push({
      type: stream.readUInt8(at),
      channel: stream.readUInt16BE(at + 1),
      payload: stream.subarray(at + 7, end),
    });
    at = end + 1;
  }
  return { frames, rest: Buffer.from(stream.subarray(at)) };
}

export function frame(type: number, channel: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(payload.length + OVERHEAD);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt16BE(channel, 1);
  bytes.writeUInt32BE(payload.length, 3);
  payload.copy(bytes, 7);
  bytes[bytes.length - 1] = FRAME_END;
  return bytes;
}

export function method(
  channel: number,
  classId: number,
  methodId: number,
  ...parts: readonly Buffer[]
): Buffer {
  return frame(FRAME_METHOD, channel, Buffer.concat([u16(classId), u16(methodId), ...parts]));
}

export const u8 = (value: number): Buffer => Buffer.from([value & 0xff]);
export function u16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
export function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
export function u64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
/** At most 255 bytes; the rest is cut off. */
export function shortString(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([u8(bytes.length), bytes]);
}
export function longString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u32(bytes.length), bytes]);
}
export function tableBytes(fields: readonly Field[]): Buffer {
  const parts = fields.map(({ key, tag, raw }) => Buffer.concat([shortString(key), Buffer.from(tag), raw]));
  const all = Buffer.concat(parts);
  return Buffer.concat([u32(all.length), all]);
}
export const textField = (key: string, value: string): Field => ({ key, tag: 'S', raw: longString(value) });
export const flagField = (key: string, value: boolean): Field => ({ key, tag: 't', raw: u8(value ? 1 : 0) });
export const countField = (key: string, value: number): Field => ({ key, tag: 'l', raw: u64(value) });
export const innerField = (key: string, fields: readonly Field[]): Field => ({
  key,
  tag: 'F',
  raw: tableBytes(fields),
});

/** Bytes of a value by its tag; those of 4 and more begin with their length. */
const SIZES: Readonly<Record<string, number>> = {
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  l: 8,
  L: 8,
  f: 4,
  d: 8,
  D: 5,
  T: 8,
  V: 0,
};

/** Reads in order; throws a RangeError at the end of the bytes. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.take(1).readUInt8();
  }
  u16(): number {
    return this.take(2).readUInt16BE();
  }
  u32(): number {
    return this.take(4).readUInt32BE();
  }
  u64(): number {
    return Number(this.take(8).readBigUInt64BE());
  }
  short(): string {
    return this.take(this.u8()).toString();
  }
  long(): Buffer {
    return this.take(this.u32());
  }
  take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new RangeError('The frame ends within a value.');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at);
  }
  table(): Field[] {
    const inner = new Reader(this.long());
    const fields: Field[] = [];
    while (!inner.#done) {
      const key = inner.short();
      const tag = String.fromCharCode(inner.u8());
      fields.push({ key, tag, raw: Buffer.from(inner.#value(tag)) });
    }
    return fields;
  }

  get #done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  #value(tag: string): Buffer {
    const size = SIZES[tag];
    if (size !== undefined) return this.take(size);
    if (!'SxAF'.includes(tag)) throw new RangeError(`Unknown type "${tag}" in a table.`);
    const length = this.take(4).readUInt32BE();
    this.#at -= 4;
    return this.take(4 + length);
  }
}

/** Bits of one octet, lowest first. */
export const bit = (octet: number, index: number): boolean => ((octet >> index) & 1) === 1;

/** A number, text or truth value of a table; undefined for what is none of these. */
export function plain({ tag, raw }: Field): number | string | boolean | undefined {
  switch (tag) {
    case 't':
      return raw[0] !== 0;
    case 'b':
      return raw.readInt8();
    case 'B':
      return raw.readUInt8();
    case 's':
      return raw.readInt16BE();
    case 'u':
      return raw.readUInt16BE();
    case 'I':
      return raw.readInt32BE();
    case 'i':
      return raw.readUInt32BE();
    case 'l':
    case 'L':
      return Number(raw.readBigInt64BE());
    case 'd':
      return raw.readDoubleBE();
    case 'S':
      return raw.subarray(4).toString();
    default:
      return undefined;
  }
}
