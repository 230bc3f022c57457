/** Redirects, followed by hand (RFC 9110 section 15.4): nothing that identifies us leaves the origin. */
import { Failure } from '../../lib/core';
import type { Headers } from './headers';

/** One request on its way; `home` is false once it has left the configured origin. */
export interface Hop {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Headers;
  readonly data: string | Buffer | undefined;
  readonly home: boolean;
  /** A writing request was answered with 303: it is done, whatever becomes of the rest of the way. */
  readonly acted?: boolean;
}

export const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const SAFE = new Set(['GET', 'HEAD']);
/** All that a stranger learns: any other header of ours may be a credential. */
const HARMLESS = ['accept', 'accept-encoding', 'accept-language', 'user-agent'];
const CONTENT = new Set(['content-type', 'content-language', 'content-encoding', 'idempotency-key']);

/**
 * The request that a redirect asks for. Undefined: the answer stands for itself (no redirect, or one that would
 * change a writing request). Throws a Failure where following would be unsafe.
 */
export function nextHop(
  hop: Hop,
  status: number,
  location: string | undefined,
  origins: readonly string[],
): Hop | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  const safe = SAFE.has(hop.method);
  if (!safe && (status === 301 || status === 302)) return undefined;
  const here = hop.origin + hop.path;
  const url = URL.canParse(location, here) ? new URL(location, here) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw refused(hop, 'to something that is not an HTTP address');
  const path = url.pathname + url.search;
  const asGet = status === 303 && hop.method !== 'HEAD';
  const method = asGet ? 'GET' : hop.method;
  const data = asGet ? undefined : hop.data;
  const acted = hop.acted === true || (asGet && !safe);
  if (url.origin === hop.origin) {
    return {
      ...hop,
      path,
      method,
      data,
      acted,
      headers: data === undefined ? withoutContent(hop.headers) : hop.headers,
    };
  }
  const where = `to another origin, ${url.origin}`;
  if (hop.origin.startsWith('https:') && url.protocol === 'http:')
    throw refused(hop, `${where}, without TLS`);
  if (!origins.includes(url.origin))
    throw refused(hop, where, ' If you trust it, enter it under "Redirect origins".');
  if (!SAFE.has(method)) throw refused(hop, where, ' Only reading requests may follow there.');
  return {
    origin: url.origin,
    path,
    method,
    data: undefined,
    headers: harmless(hop.headers),
    home: false,
    acted,
  };
}

function withoutContent(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CONTENT.has(name)));
}

function harmless(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.includes(name)));
}

function refused(hop: Hop, where: string, more = ''): Failure {
  const text = `${hop.origin} redirects ${where}; Holdfast does not follow.${more}`;
  return new Failure('rejected', 'REDIRECT_REFUSED', text, { details: { origin: hop.origin } });
}
