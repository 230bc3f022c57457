/** The dead letters under the admin root: what the routes registered by `routes.ts` do. */
import { badRequest, type DeadAction } from '../../queue/dead';
import { toFailure } from '../../core';
import { publicFailure } from '../../roles/outcome';
import { runtimeOf } from '../runtime';
import type { HttpRequest, HttpResponse, Red } from '../types';
import { askDeadLetters } from './ask';
import { HttpFailure, jsonBody, tooLarge } from './body';

const STATUS: Readonly<Record<string, number>> = {
  BAD_MESSAGE: 400,
  NOT_STORABLE: 400,
  DEAD_LETTER_UNKNOWN: 404,
  QUEUE_LOCKED: 503,
  QUEUE_UNAVAILABLE: 503,
  QUEUE_FULL: 503,
  MISSING_LIBRARY: 503,
};
const INTERNAL = 'The request failed for a reason that Holdfast does not know; the log of Node-RED has it.';

/** Answers one request. Never rejects. */
export async function answer(
  RED: Red,
  action: DeadAction,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  try {
    const raw = await rawRequest(request);
    const { queues, redactor, clock } = runtimeOf(RED);
    const { store, release } = await queues.use();
    try {
      send(response, 200, await askDeadLetters(store, action, raw, redactor, clock.now()));
    } finally {
      await release();
    }
  } catch (error) {
    sendError(RED, response, error);
  }
}

/** What Node-RED's own body parser refused: too large, or not JSON. */
export function answerBadBody(RED: Red, error: unknown, response: HttpResponse): void {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : 0;
  if (status === 413) sendError(RED, response, tooLarge());
  else if (typeof status === 'number' && status >= 400 && status < 500) {
    sendError(RED, response, badRequest('The body of the request cannot be read as JSON.'));
  } else sendError(RED, response, error);
}

/** The number of the path, else the JSON body of a POST, else the query. */
async function rawRequest(request: HttpRequest): Promise<unknown> {
  const { method, params, url } = request;
  if (params?.number !== undefined) {
    const name = method === 'DELETE' ? 'numbers' : 'number';
    return { [name]: params.number };
  }
  return method === 'POST' ? jsonBody(request) : readQuery(url);
}

/** A condition given twice would make one of them wrong without a word. */
function readQuery(url: string): Record<string, string> {
  const { searchParams } = new URL(url, 'http://localhost');
  const query: [string, string][] = [];
  for (const [name, value] of searchParams) {
    if (query.some(([known]) => known === name)) throw badRequest(`"${name.slice(0, 40)}" is given twice.`);
    query.push([name, value]);
  }
  return Object.fromEntries(query);
}

function sendError(RED: Red, response: HttpResponse, error: unknown): void {
  const { redactor } = runtimeOf(RED);
  const failure = publicFailure(toFailure(error), redactor);
  const { kind, code, message } = failure;
  if (kind === 'unclassified') {
    RED.log.error(`A request on the dead letters failed: ${failure.stack ?? message}`);
  }
  const status = error instanceof HttpFailure ? error.status : (STATUS[code] ?? 500);
  send(response, status, { code, message: kind === 'unclassified' ? INTERNAL : message });
}

function send(response: HttpResponse, status: number, body: object): void {
  response
    .status(status)
    .set('Content-Type', 'application/json; charset=utf-8')
    .set('Cache-Control', 'no-store')
    .set('X-Content-Type-Options', 'nosniff')
    .send(JSON.stringify(body));
}
