/** Says in a sentence what an answer outside the success condition means (RFC 9110 section 15). */
import { STATUS_CODES } from 'node:http';
import { Failure, type CommonCode, type FailureKind } from '../../lib/core';
import { parseRetryAfter } from '../../lib/roles';
import { excerpt } from './answer';
import { afterActing } from './classify';
import { masked } from './mask';
import type { Answer } from './session';

/** How much of a refusing answer an engineer gets to see: in details, and in the sentence. */
const EXCERPT = 500;
const QUOTE = 160;
/** 5xx that will not pass: the server lacks the function. */
const LASTING = new Set([501, 505, 510]);

/** `operation` is such as "GET /orders"; `nowMs` is wall-clock time for a Retry-After date. */
export function statusFailure(answer: Answer, operation: string, ours: string, nowMs: number): Failure {
  const { status, headers, data, credentials } = answer;
  const origin = answer.home ? ours : new URL(answer.url).origin;
  const name = STATUS_CODES[status] ?? 'unknown status';
  const retryAfter = headers['retry-after'];
  const retryAfterMs = typeof retryAfter === 'string' ? parseRetryAfter(retryAfter, nowMs) : undefined;
  const [kind, code, hint, reached] = answer.home ? judge(status, retryAfterMs !== undefined) : STRANGER;
  const quote = excerpt(data, QUOTE, credentials);
  const says = quote === '' ? '' : ` It says: ${quote.replace(/\.$/, '')}.`;
  const failure = new Failure(
    kind,
    code,
    `${origin} answers ${operation} with ${status} ${name}.${hint}${says}`,
    {
      reached,
      details: {
        status,
        origin,
        operation,
        ...locationOf(answer),
        body: excerpt(data, EXCERPT, credentials),
      },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  );
  return answer.acted ? afterActing(failure) : failure;
}

type Judgement = readonly [FailureKind, CommonCode, hint: string, reached: boolean];
/** Where a redirect led to says nothing about our credentials and our connection. */
const STRANGER: Judgement = ['rejected', 'PEER_REJECTED', ' A redirect led there.', true];

function judge(status: number, told: boolean): Judgement {
  if (status === 401)
    return ['auth', 'AUTH_FAILED', ' Check the authentication settings of the connection.', false];
  if (status === 407) return ['auth', 'AUTH_FAILED', ' Check the proxy user name and password.', false];
  if (status === 429) return ['throttled', 'THROTTLED', ' It asks for fewer requests.', false];
  if ((status === 503 || status === 408) && told)
    return ['throttled', 'THROTTLED', ' It asks to wait.', true];
  if (status === 408 || (status >= 500 && !LASTING.has(status))) return ['transient', 'PEER_ERROR', '', true];
  return ['rejected', 'PEER_REJECTED', hintFor(status), true];
}

function hintFor(status: number): string {
  if (status === 403) return ' The credentials are known but not allowed to do this.';
  if (status === 404 || status === 410) return ' Check base URL and path.';
  if (status === 405) return ' Check the method.';
  if (status === 415) return ' Check the body format.';
  if (status >= 300 && status < 400) return ' The redirect was not followed; check the path.';
  return status < 300 ? ' This is not among the statuses that mean success.' : '';
}

function locationOf({ status, headers, credentials }: Answer): { location?: string } {
  const { location } = headers;
  if (status < 300 || status > 399 || typeof location !== 'string') return {};
  return { location: masked(location.split('?', 1)[0] ?? '', credentials).slice(0, 200) };
}
