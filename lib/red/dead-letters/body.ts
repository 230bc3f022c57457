/** The JSON body of an admin request: bounded, and never one that a web page elsewhere could have sent. */
import { Failure } from '../../core';
import { badRequest } from '../../queue/dead';
import type { HttpRequest } from '../types';

/** An edited message and its envelope; Node-RED's own limit (apiMaxLength, 5 MB) usually comes first. */
const LARGEST = 20 * 1024 * 1024;

/** A failure that belongs to HTTP. */
export class HttpFailure extends Failure {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super('rejected', 'BAD_MESSAGE', message, { reached: false });
  }
}

/** A form, or a script without the server's consent (CORS), cannot send this content type across sites. */
export function demandJson({ headers }: HttpRequest): void {
  const given = headers['content-type'];
  const [type = ''] = (typeof given === 'string' ? given : '').split(';');
  if (type.trim().toLowerCase() !== 'application/json') {
    throw new HttpFailure(415, 'Send the request as JSON, with the header Content-Type: application/json.');
  }
}

/** Node-RED usually has read the body already; where it has not, it is read here. */
export async function jsonBody(request: HttpRequest): Promise<unknown> {
  demandJson(request);
  if (request._body === true) return request.body;
  try {
    return JSON.parse(await readText(request)) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest('The body of the request is not JSON.');
    throw error;
  }
}

async function readText(request: HttpRequest): Promise<string> {
  // Refused before it is read: ending a read halfway would cut the connection before the answer.
  if (Number(request.headers['content-length'] ?? 0) > LARGEST) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > LARGEST) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

export function tooLarge(): HttpFailure {
  const sentence =
    'The request is larger than this Node-RED accepts; see apiMaxLength in settings.js, or replay without an edit.';
  return new HttpFailure(413, sentence);
}
