/** Messages: properties and body. Only headers are taken apart; everything else leaves as it came. */
import { frame, FRAME_BODY, FRAME_HEADER, Reader, tableBytes, u16, u64, type Field } from './simulator-wire';

const BASIC = 60;
const HEADERS = 1 << 13;
/** Property flags above the headers, in their order: content type, content encoding. */
const BEFORE = [1 << 15, 1 << 14];

export interface Content {
  readonly flags: number;
  /** Properties before and after the headers. */
  readonly before: Buffer;
  readonly headers: readonly Field[];
  readonly after: Buffer;
  readonly body: Buffer;
}

/** The payload of a header frame. */
export function readHeader(payload: Buffer): { readonly size: number; readonly content: Content } {
  const reader = new Reader(payload);
  if (reader.u16() !== BASIC) throw new RangeError('Only messages of class basic exist.');
  reader.u16();
  const size = reader.u64();
  const flags = reader.u16();
  const before = BEFORE.filter((flag) => flags & flag).map(() => {
    const text = Buffer.from(reader.short());
    return Buffer.concat([Buffer.from([text.length]), text]);
  });
  const headers = flags & HEADERS ? reader.table() : [];
  const content = {
    flags,
    before: Buffer.concat(before),
    headers,
    after: Buffer.from(reader.rest()),
    body: Buffer.alloc(0),
  };
  return { size, content };
}

/** The same message with more headers; those of the same name are replaced. */
export function withHeaders(content: Content, more: readonly Field[]): Content {
  const names = new Set(more.map(({ key }) => key));
  const kept = content.headers.filter(({ key }) => !names.has(key));
  return { ...content, flags: content.flags | HEADERS, headers: [...kept, ...more] };
}

/** Header frame and body frames of at most `largest` bytes each. */
export function contentFrames(channel: number, content: Content, largest: number): Buffer[] {
  const { flags, before, headers, after, body } = content;
  const table = flags & HEADERS ? tableBytes(headers) : Buffer.alloc(0);
  const head = Buffer.concat([u16(BASIC), u16(0), u64(body.length), u16(flags), before, table, after]);
  const frames = [frame(FRAME_HEADER, channel, head)];
  const step = largest - 8;
  for (let at = 0; at < body.length; at += step) {
    frames.push(frame(FRAME_BODY, channel, body.subarray(at, at + step)));
  }
  return frames;
}
