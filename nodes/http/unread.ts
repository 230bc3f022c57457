/** Answers whose body cannot be had: the status of a refusal still says what happened. */
import type { Failure } from '../../lib/core';
import { decompress } from './answer';
import { classify, record } from './classify';

export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}
export interface Received extends Head {
  readonly data: Buffer;
  /** Why `data` is empty although the answer is not. Whoever takes the status for success must throw this. */
  readonly unread: Failure | undefined;
}

/** Undoes compression. Throws a Failure for what is malformed or too large, unless the status refuses anyway. */
export async function unpack(
  { status, headers }: Head,
  data: Buffer,
  coding: string,
  maxBytes: number,
): Promise<Received> {
  try {
    return { status, headers, data: await decompress(data, coding, maxBytes), unread: undefined };
  } catch (error) {
    const failure = classify(error);
    if (isSuccess(status)) throw failure;
    return { status, headers, data: Buffer.alloc(0), unread: failure };
  }
}

/**
 * The answer that stands behind an error of axios, where its body is larger than the limit and its status refuses.
 * axios keeps only the request; Node hangs the answer on it as `res`.
 */
export function refusalOf(error: unknown): Received | undefined {
  const { statusCode: status, headers } = record(record(record(error)['request'])['res']);
  if (typeof status !== 'number' || typeof headers !== 'object' || headers === null) return undefined;
  const failure = classify(error);
  if (failure.code !== 'RESPONSE_TOO_LARGE' || isSuccess(status)) return undefined;
  return { status, headers: headers as Head['headers'], data: Buffer.alloc(0), unread: failure };
}

const isSuccess = (status: number): boolean => status < 300;
