/** The runtime side of the Holdfast plugin: health and metrics without any wiring. */
import type { HealthReport, HealthState } from '../observe/types';
import { registerDeadLetters } from './dead-letters/routes';
import { runtimeOf } from './runtime';
import type { HttpRequest, HttpResponse, Red } from './types';

export interface PluginInfo {
  readonly version: string;
}

/**
 * `GET <admin root>/holdfast/health` and `/holdfast/metrics`, behind the permission `holdfast.read`. In
 * settings.js, `holdfast: { openProbe: true }` opens both to anyone who reaches the admin port.
 */
export function plugin(RED: Red, info: PluginInfo): void {
  RED.plugins?.registerPlugin('holdfast', { type: 'holdfast', version: info.version });
  registerDeadLetters(RED);
  const own = RED.settings.holdfast as { openProbe?: unknown } | undefined;
  const permission = RED.auth?.needsPermission('holdfast.read');
  if (!RED.httpAdmin || !permission) return;
  const guard = own?.openProbe === true ? pass : permission;
  RED.httpAdmin.get('/holdfast/health', guard, (_request, response) => health(RED, response, info));
  RED.httpAdmin.get('/holdfast/metrics', guard, (_request, response) => {
    metrics(RED, response).catch((error: unknown) => {
      RED.log.error(`The metrics page could not be made: ${String(error)}`);
      response.status(500).send('');
    });
  });
}

function pass(_request: HttpRequest, _response: HttpResponse, next: () => void): void {
  next();
}

const ORDER: readonly HealthState[] = ['healthy', 'unknown', 'degraded', 'unhealthy'];

/** The worst state of all; healthy when there is no connection. */
export function overall(reports: readonly HealthReport[]): HealthState {
  return reports.reduce<HealthState>(
    (worst, { state }) => (ORDER.indexOf(state) > ORDER.indexOf(worst) ? state : worst),
    'healthy',
  );
}

function health(RED: Red, response: HttpResponse, info: PluginInfo): void {
  const { board, redactor } = runtimeOf(RED);
  const connections = board.reports();
  const status = overall(connections);
  const body = redactor.redactDeep({ status, version: info.version, connections });
  response
    .status(status === 'unhealthy' ? 503 : 200)
    .set('Content-Type', 'application/json; charset=utf-8')
    .set('Cache-Control', 'no-store')
    .send(JSON.stringify(body));
}

async function metrics(RED: Red, response: HttpResponse): Promise<void> {
  const { exposition } = await import('../observe/exposition.js');
  const runtime = runtimeOf(RED);
  const text = runtime.redactor.redact(await exposition(runtime.metrics));
  response
    .set('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
    .set('Cache-Control', 'no-store')
    .send(text);
}
