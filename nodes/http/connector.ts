import type { AxiosStatic } from 'axios';
import type { Clock, Scope } from '../../lib/core';
import { defineConnector, type OpenContext } from '../../lib/roles';
import { HEALTH_LIMIT, fields } from './connection-fields';
import { classify } from './classify';
import { fixedHeaders } from './headers';
import { probe } from './probe';
import { HttpSession, type SessionOptions } from './session';
import { statusFailure } from './status';
import { badConfig } from './template';
import type { Proxy } from './tunnel';
import { compilePath, parseBase, parseOrigin } from './url';

export const connector = defineConnector({
  type: 'holdfast-http-connection',
  version: 1,
  label: 'http connection',
  summary: 'An HTTP API at one origin, with its credentials, TLS, proxy and pool of connections.',
  auth: ['none', 'basic', 'bearer', 'apiKey', 'oauth2', 'certificate'],
  tls: true,
  fields,
  codes: {
    REDIRECT_REFUSED: 'The server redirects to a place that Holdfast does not follow, or without end.',
  },

  async open(ctx): Promise<Session> {
    const options = sessionOptions(ctx);
    // CommonJS on purpose: one file instead of axios's many modules.
    const axios = require('axios') as AxiosStatic;
    await probe(options.base, options, ctx.scope);
    const session = { http: new HttpSession(axios, options), health: healthOf(ctx.config), clock: ctx.clock };
    if (session.health) await refuseWrongCredentials(session, ctx.scope);
    return session;
  },

  close({ http }) {
    http.close();
    return Promise.resolve();
  },

  ping: (session, { scope }) => ping(session, scope),

  classify: (error) => classify(error),

  simulator: {
    load: () => Promise.resolve(require('./simulator') as typeof import('./simulator')),
    apply: (config, { host, port }) => ({
      ...config,
      baseUrl: `http://${host}:${port}`,
      proxyUrl: '',
      healthPath: config.healthPath === '' ? '' : '/health',
    }),
  },
  defaults: { concurrency: 32, queue: 1000, pingEvery: '30s' },
});

interface Session {
  readonly http: HttpSession;
  readonly health: { readonly method: string; readonly path: string } | undefined;
  readonly clock: Clock;
}

async function ping({ http, health, clock }: Session, scope: Scope): Promise<void> {
  if (!health) return probe(http.base, http.options, scope);
  const path = http.base.prefix + health.path;
  const answer = await http.send(
    { method: health.method, path, headers: {}, data: undefined, maxBytes: HEALTH_LIMIT, follow: true },
    scope,
  );
  if (answer.status < 200 || answer.status > 299) {
    throw statusFailure(answer, `${health.method} ${health.path}`, http.base.origin, clock.now());
  }
}

/** A connection whose credentials are refused is not open; any other trouble is for the pings to tell. */
async function refuseWrongCredentials(session: Session, scope: Scope): Promise<void> {
  try {
    await ping(session, scope);
  } catch (error) {
    if (classify(error).kind !== 'auth' && !scope.aborted) return;
    session.http.close();
    throw error;
  }
}

type Context = OpenContext<typeof fields>;
type Config = Context['config'];

function sessionOptions({ config, auth, tls, clock }: Context): SessionOptions {
  const proxy = proxyOf(config);
  return {
    base: parseBase(config.baseUrl),
    headers: fixedHeaders(config.headers),
    redirectOrigins: config.redirectOrigins.map((one) => parseOrigin(one, 'Redirect origins').origin),
    auth,
    tls,
    clock,
    proxy,
    maxSockets: config.maxSockets,
    idleMs: config.idleTimeout,
  };
}

function proxyOf(config: Config): Proxy | undefined {
  if (config.proxyUrl === '') return undefined;
  const { secure, hostname, port, prefix } = parseBase(config.proxyUrl, 'Proxy');
  if (prefix !== '') throw badConfig('"Proxy" holds a path; give only scheme, host and port.');
  return { secure, hostname, port, username: config.proxyUsername, password: config.proxyPassword };
}

function healthOf(config: Config): { method: string; path: string } | undefined {
  if (config.healthPath === '') return undefined;
  const path = compilePath(config.healthPath).fixed;
  if (path === undefined) throw badConfig('"Health path" cannot hold values of a message.');
  return { method: config.healthMethod, path: path.startsWith('/') ? path : `/${path}` };
}
