/** Payloads as bytes and back. */
import { Failure } from '../../lib/core';

export type Format = 'auto' | 'buffer' | 'string' | 'json';

export interface Encoded {
  readonly body: Buffer;
  readonly contentType: string;
}

const bad = (what: string): Failure => new Failure('rejected', 'BAD_MESSAGE', what, { reached: false });

/** @throws Failure `rejected` that says what the payload should have been. */
export function encodePayload(payload: unknown, format: Format): Encoded {
  if (payload === undefined) throw bad('The message has no payload to publish.');
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : payload instanceof Uint8Array
      ? Buffer.from(payload)
      : undefined;
  if (format === 'buffer' && !bytes) throw bad('The payload is not a Buffer, which "Payload" asks for.');
  if (bytes && format !== 'json') return { body: bytes, contentType: 'application/octet-stream' };
  if (format === 'string' || (format === 'auto' && typeof payload === 'string')) {
    if (typeof payload === 'object') throw bad('The payload is an object; choose JSON under "Payload".');
    return { body: Buffer.from(String(payload as string | number | boolean)), contentType: 'text/plain' };
  }
  return { body: Buffer.from(jsonOf(payload)), contentType: 'application/json' };
}

function jsonOf(payload: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : '';
    throw bad(`The payload cannot be written as JSON: ${why.slice(0, 200)}.`);
  }
  if (text === undefined) throw bad('The payload holds nothing that JSON can express.');
  return text;
}

export interface Decoded {
  readonly payload: unknown;
  /** Why the payload stayed a Buffer although something else was asked for. */
  readonly problem?: string;
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const TEXT_TYPE = /^text\//i;

/** A body that is not what it says stays a Buffer: nothing is lost. */
export function decodePayload(body: Buffer, type: unknown, encoding: unknown, format: Format): Decoded {
  const wanted = format === 'auto' ? told(type, encoding) : format;
  if (wanted === 'buffer') return { payload: body };
  if (wanted === 'string') return { payload: body.toString('utf8') };
  try {
    return { payload: JSON.parse(body.toString('utf8')) as unknown };
  } catch {
    return { payload: body, problem: 'The body is not JSON, so the payload is a Buffer.' };
  }
}

/** A compressed body is left alone, whatever is in it. */
function told(type: unknown, encoding: unknown): Format {
  const plain = encoding === undefined || encoding === '' || encoding === 'utf-8' || encoding === 'utf8';
  if (!plain || typeof type !== 'string') return 'buffer';
  return JSON_TYPE.test(type) ? 'json' : TEXT_TYPE.test(type) ? 'string' : 'buffer';
}
