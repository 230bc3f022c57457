/** Answers whose body cannot be had: the status of a refusal still says what happened. */
import type { IncomingMessage } from 'node:http';
import { isFailure, type Failure } from '../../lib/core';
import { decompress } from './answer';
import { collect } from './collect';

export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}
export interface Received extends Head {
  readonly data: Buffer;
  /** Why `data` is empty although the answer is not. Whoever takes the status for success must throw this. */
  readonly unread: Failure | undefined;
}

/** Reads and unpacks the body. Throws where it is malformed or too large, unless the status refuses anyway. */
export async function receive(
  { status, headers }: Head,
  stream: IncomingMessage,
  maxBytes: number,
): Promise<Received> {
  try {
    const data = await collect(stream, maxBytes);
    const coding = headers['content-encoding'];
    const plain = typeof coding === 'string' ? await decompress(data, coding, maxBytes) : data;
    return { status, headers, data: plain, unread: undefined };
  } catch (error) {
    if (!isFailure(error) || status < 300) throw error;
    return { status, headers, data: Buffer.alloc(0), unread: error };
  }
}
