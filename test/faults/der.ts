/** The few ASN.1 DER encodings (X.690) that a certificate needs. */

export function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), length(body.length), body]);
}

function length(size: number): Buffer {
  if (size < 128) return Buffer.of(size);
  const bytes: number[] = [];
  for (let left = size; left > 0; left >>= 8) bytes.unshift(left & 0xff);
  return Buffer.of(0x80 | bytes.length, ...bytes);
}

export const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
export const set = (...parts: readonly Buffer[]): Buffer => der(0x31, ...parts);
export const octets = (body: Buffer): Buffer => der(0x04, body);
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
export const bits = (body: Buffer): Buffer => der(0x03, Buffer.of(0), body);
export const truth = (): Buffer => der(0x01, Buffer.of(0xff));

/** A positive integer, big-endian. */
export function integer(bytes: Buffer): Buffer {
  return der(0x02, (bytes[0] ?? 0) > 0x7f ? Buffer.of(0) : Buffer.alloc(0), bytes);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift(0x80 | (left & 0x7f));
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

/** YYYYMMDDHHMMSSZ. */
export function generalizedTime(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

export function explicit(tag: number, ...parts: readonly Buffer[]): Buffer {
  return der(0xa0 | tag, ...parts);
}
