/** Registers the REST interface of the dead letters. What it does loads with the first request. */
import type { DeadAction } from '../../queue/dead';
import type { HttpHandler, HttpRequest, HttpResponse, Red } from '../types';

const ROOT = '/holdfast/dead-letters';

/** Reading needs the permission `holdfast.read`, changing `holdfast.write`; no setting opens them to everybody. */
export function registerDeadLetters(RED: Red): void {
  const { httpAdmin, auth } = RED;
  if (!httpAdmin || !auth) return;
  const read = auth.needsPermission('holdfast.read');
  const write = auth.needsPermission('holdfast.write');
  const does =
    (action: DeadAction): HttpHandler =>
    (request, response) =>
      http()
        .answer(RED, action, request, response)
        .catch((error: unknown) => RED.log.error(`An answer could not be sent: ${String(error)}`));
  httpAdmin.get(ROOT, read, does('list'));
  httpAdmin.get(`${ROOT}/:number`, read, does('show'));
  httpAdmin.post(`${ROOT}/replay`, write, does('replay'));
  httpAdmin.post(`${ROOT}/purge`, write, does('purge'));
  httpAdmin.delete(`${ROOT}/:number`, write, does('purge'));
  // Bodies are parsed by the application above, before this one is asked; an error there would pass it by, and
  // Express's own page shows a stack. It tells an error handler by its four parameters.
  (httpAdmin.parent ?? httpAdmin).use(
    ROOT,
    (error: unknown, _request: HttpRequest, response: HttpResponse, _next: () => void) =>
      http().answerBadBody(RED, error, response),
  );
}

function http(): typeof import('./http') {
  return require('./http') as typeof import('./http');
}
