/**
 * Messages as bytes: always JSON text in UTF-8. A message that JSON can hold is stored as it is; anything else is a
 * tagged value, `{"$holdfast":"Date","value":"…"}`, and comes back exactly. What cannot come back is refused.
 *
 * Bytes (Buffer, typed array, DataView) bring back their own part of the memory they are a view of, not the rest of it,
 * and objects of another realm, such as a function node's, come back as objects of this one.
 */
import { Failure, isFailure, type Message } from '../core';
import { describe, MAX_DEPTH, TAG } from './codec-kinds';
import { isPlain } from './codec-plain';
import { Reader, unreadable } from './codec-read';
import { Writer } from './codec-write';

export interface CodecLimits {
  /** Of the encoded message. */
  readonly maxBytes?: number;
}

/** What a message may take when it is encoded, unless the caller says otherwise. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Reading is more generous, so that a lowered limit does not make stored messages unreadable. */
const MAX_READ_BYTES = 8 * MAX_MESSAGE_BYTES;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws a `rejected` Failure NOT_STORABLE that names what stands in the way, and where. */
export function encodeMessage(msg: Message, limits: CodecLimits = {}): Uint8Array {
  const { maxBytes = MAX_MESSAGE_BYTES } = limits;
  const writer = new Writer(maxBytes);
  if (typeof msg !== 'object' || msg === null || Array.isArray(msg))
    writer.refuse(`is ${Array.isArray(msg) ? 'an array' : describe(msg)} where a message object is needed`);
  try {
    const bytes = Buffer.from(isPlain(msg, maxBytes) ? JSON.stringify(msg) : writer.write(msg));
    if (bytes.length > maxBytes)
      writer.refuse(`takes ${bytes.length} bytes, and ${maxBytes} may be stored`, 'Make it smaller');
    return bytes;
  } catch (error) {
    if (isFailure(error)) throw error;
    // A stack that was nearly used up, a string beyond what the runtime can hold.
    throw notStorable(error);
  }
}

function notStorable(cause: unknown): Failure {
  const text = 'The message cannot be stored: it is too large or too deep for the runtime. Make it smaller.';
  return new Failure('rejected', 'NOT_STORABLE', text, { reached: false, cause });
}

/** Throws a `rejected` Failure BAD_MESSAGE for bytes that `encodeMessage` did not write. */
export function decodeMessage(bytes: Uint8Array, limits: CodecLimits = {}): Message {
  return messageOf(encodedText(bytes, limits));
}

/** The JSON text of a stored message, for people and for editing. */
export function encodedText(bytes: Uint8Array, limits: CodecLimits = {}): string {
  const { maxBytes = MAX_READ_BYTES } = limits;
  if (bytes.length > maxBytes) throw unreadable(`it has ${bytes.length} bytes, and ${maxBytes} are allowed`);
  try {
    return UTF8.decode(bytes);
  } catch {
    throw unreadable('it is not text in UTF-8');
  }
}

/** Bytes of a text that a person edited. Throws a `rejected` Failure BAD_MESSAGE that says what is wrong. */
export function parseEdited(text: string, limits: CodecLimits = {}): Uint8Array {
  const { maxBytes = MAX_MESSAGE_BYTES } = limits;
  if (text.length > maxBytes)
    throw unreadable(`it has ${text.length} characters, and ${maxBytes} bytes are allowed`);
  try {
    return encodeMessage(messageOf(text), limits);
  } catch (error) {
    if (!isFailure(error) || error.code === 'BAD_MESSAGE') throw error;
    throw new Failure('rejected', 'BAD_MESSAGE', error.message, { reached: false });
  }
}

function messageOf(text: string): Message {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    throw unreadable('it is not JSON');
  }
  if (typeof root !== 'object' || root === null || Array.isArray(root))
    throw unreadable('it is not a JSON object');
  const read = mayHoldTags(text) || isDeep(text) ? revive(root) : root;
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw unreadable('it is not a message object');
  return read as Message;
}

/** An escape can hide a tag. */
function mayHoldTags(text: string): boolean {
  return text.includes(`"${TAG}"`) || text.includes('\\u');
}

function revive(root: object): unknown {
  try {
    return new Reader().read(root);
  } catch (error) {
    if (isFailure(error)) throw error;
    throw unreadable('it is too large or too deep for the runtime');
  }
}

/** Whether it may be nested too deeply: it has at least as many brackets. */
function isDeep(text: string): boolean {
  if (text.length < 2 * MAX_DEPTH) return false;
  let brackets = 0;
  for (const bracket of ['{', '['])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
      if ((brackets += 1) >= MAX_DEPTH) return true;
  return false;
}
