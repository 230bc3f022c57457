/** Turns the bytes of an answer into a value; every step is bounded and strict, so nothing arrives half. */
import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { Failure } from '../../lib/core';
import { masked } from './mask';

export type ResponseFormat = 'json' | 'text' | 'buffer';

const DECODERS: Readonly<
  Record<string, (data: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};
/** What the client asks for; `decompress` knows each of them. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';
/** Deeper data overflows the stack of whatever walks it next. */
const DEEPEST = 512;

/** Undoes content codings (RFC 9110 section 8.4) up to `maxBytes`. Unlike a stream it refuses a cut-off end. */
export async function decompress(data: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const codings = encoding
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
  const wanted = codings.filter((one) => one !== '' && one !== 'identity').reverse();
  if (wanted.length > 2) throw badResponse(`The answer is compressed ${wanted.length} times over.`);
  let plain = data;
  for (const coding of plain.length === 0 ? [] : wanted) {
    const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
    if (!decode)
      throw badResponse(`The answer is compressed as "${coding.slice(0, 40)}", which was not asked for.`);
    try {
      plain = await decode(plain, { maxOutputLength: maxBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
      throw badResponse(`The answer is not valid ${coding} data, or its end is missing.`);
    }
  }
  return plain;
}

/** JSON without content is null. Throws BAD_RESPONSE for what the format does not allow. */
export function decodeBody(data: Buffer, format: ResponseFormat, contentType: string): unknown {
  if (format === 'buffer') return data;
  if (format === 'text') return decodeText(data, contentType);
  if (data.length === 0) return null;
  const text = utf8(data);
  if (text.length > 2 * DEEPEST && depth(text) > DEEPEST) {
    throw badResponse(`The answer is JSON nested more than ${DEEPEST} levels deep.`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const start = JSON.stringify(excerpt(data, 60));
    throw badResponse(
      `The answer is not JSON; it begins with ${start}. Check the path, or choose another format.`,
    );
  }
}

function decodeText(data: Buffer, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii') return utf8(data);
  try {
    return new TextDecoder(charset, { fatal: true }).decode(data);
  } catch {
    throw badResponse(
      `The answer is not valid text in the character set "${charset.slice(0, 40)}"; read a buffer.`,
    );
  }
}

function utf8(data: Buffer): string {
  if (!isUtf8(data)) throw badResponse('The answer is not valid UTF-8 text; read it as a buffer.');
  const mark = data.length >= 3 && data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf;
  return data.toString('utf8', mark ? 3 : 0);
}

/** Nesting of arrays and objects, counted without parsing. */
function depth(text: string): number {
  let level = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = endOfString(text, i);
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, (level += 1));
    else if (code === 0x5d || code === 0x7d) level -= 1;
  }
  return deepest;
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i += 1;
    else if (code === 0x22) return i;
  }
  return text.length;
}

/** The beginning of an answer as one printable line without `credentials`, for sentences and details. */
export function excerpt(data: Buffer, length: number, credentials?: RegExp): string {
  const text = data.subarray(0, length * 4).toString('utf8');
  const line = masked(text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim(), credentials);
  return line.length > length ? `${line.slice(0, length)}…` : line;
}

export function tooLarge(maxBytes: number): Failure {
  return new Failure(
    'rejected',
    'RESPONSE_TOO_LARGE',
    `The answer is larger than ${Math.floor(maxBytes / 1024)} KiB. Ask for less, or raise "Largest answer".`,
    { details: { maxBytes } },
  );
}

function badResponse(sentence: string): Failure {
  return new Failure('rejected', 'BAD_RESPONSE', sentence);
}
