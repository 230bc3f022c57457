/** Sockets of a connection: keep-alive pools, TLS and proxy, for the configured origin and for strangers. */
import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AxiosProxyConfig } from 'axios';
import type { Clock } from '../../lib/core';
import type { TlsOptions } from './means';
import { TunnelAgent, type Proxy } from './tunnel';

export interface TransportOptions {
  readonly tls: TlsOptions | undefined;
  readonly proxy: Proxy | undefined;
  readonly maxSockets: number;
  readonly idleMs: number;
  readonly clock: Clock;
}
/** What one axios request needs. */
export interface Transport {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
  readonly proxy: AxiosProxyConfig | false;
}

/** For the configured origin: pooled, with the client certificate. */
export function homeTransport(options: TransportOptions, secure: boolean): Transport {
  const pool: AgentOptions = {
    keepAlive: true,
    maxSockets: options.maxSockets,
    maxFreeSockets: options.maxSockets,
    timeout: options.idleMs,
    scheduling: 'lifo',
  };
  return transport(options, secure, pool, options.tls ?? {});
}

/** For an origin that a redirect leads to: the same trust, but no client certificate and no kept sockets. */
export function strangerTransport(options: TransportOptions, secure: boolean): Transport {
  return transport(options, secure, { keepAlive: false }, trustOnly(options.tls));
}

/** The authorities and version of the TLS settings without anything that tells who we are. */
export function trustOnly(
  tls: TlsOptions | undefined,
): Pick<TlsOptions, 'ca' | 'minVersion' | 'rejectUnauthorized'> {
  const { ca, minVersion = 'TLSv1.2', rejectUnauthorized = true } = tls ?? {};
  return { minVersion, rejectUnauthorized, ...(ca === undefined ? {} : { ca }) };
}

function transport(
  { proxy, tls, clock }: TransportOptions,
  secure: boolean,
  pool: AgentOptions,
  identity: Partial<TlsOptions>,
): Transport {
  const httpAgent = new HttpAgent(pool);
  if (!proxy) return { httpAgent, httpsAgent: new HttpsAgent({ ...pool, ...identity }), proxy: false };
  const proxyTls = trustOnly(tls);
  if (secure) {
    const httpsAgent = new TunnelAgent(proxy, proxyTls, clock, { ...pool, ...identity });
    return { httpAgent, httpsAgent, proxy: false };
  }
  // Plain http goes through the proxy with its whole address; the https agent then serves the proxy itself.
  const { secure: toProxy, hostname: host, port, username, password } = proxy;
  return {
    httpAgent,
    httpsAgent: new HttpsAgent({ ...pool, ...proxyTls }),
    proxy: {
      protocol: toProxy ? 'https' : 'http',
      host,
      port,
      ...(username ? { auth: { username, password } } : {}),
    },
  };
}

export function closeTransport({ httpAgent, httpsAgent }: Transport): void {
  httpAgent.destroy();
  httpsAgent.destroy();
}
