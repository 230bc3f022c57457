/** Proves that the server's port answers, without a request: TCP, and TLS where the address says https. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Scope } from '../../lib/core';
import { classify } from './classify';
import { homeTransport, trustOnly, type TransportOptions } from './transport';
import { openProxy } from './tunnel';
import type { Base } from './url';

/** Resolves once connected; rejects with a Failure, or with the scope's reason. */
export async function probe(base: Base, options: TransportOptions, scope: Scope): Promise<void> {
  const { hostname: host, port, secure } = base;
  const { tls, proxy } = options;
  const name = isIP(host) ? {} : { servername: host };
  scope.throwIfAborted();
  try {
    if (proxy && secure) await probeTunnel(base, options, scope);
    else if (proxy) await connected(openProxy(proxy, trustOnly(tls)), proxy.secure, scope);
    else if (secure) await connected(connectTls({ host, port, ...name, ...tls }), true, scope);
    else await connected(connectTcp({ host, port }), false, scope);
  } catch (error) {
    throw classify(error, base.origin);
  }
}

async function probeTunnel({ hostname, port }: Base, options: TransportOptions, scope: Scope): Promise<void> {
  const { httpsAgent, httpAgent } = homeTransport({ ...options, maxSockets: 1 }, true);
  try {
    const name = options.tls?.servername;
    const target = { ...options.tls, host: hostname, port, ...(name ? { servername: name } : {}) };
    const stream = await new Promise<Duplex>((resolve, reject) => {
      const off = scope.onAbort(reject);
      httpsAgent.createConnection(target, (error, made) => {
        off();
        if (error) reject(error);
        else if (scope.aborted) made.destroy();
        else resolve(made);
      });
    });
    await connected(stream, true, scope);
  } finally {
    httpsAgent.destroy();
    httpAgent.destroy();
  }
}

function connected(socket: Socket | Duplex, secure: boolean, scope: Scope): Promise<void> {
  return new Promise((resolve, reject) => {
    let off = (): void => {};
    const end = (act: () => void): void => {
      off();
      socket.on('error', () => {});
      socket.destroy();
      act();
    };
    // Runs at once where the scope has ended by now.
    off = scope.onAbort((reason) => end(() => reject(reason)));
    socket.once(secure ? 'secureConnect' : 'connect', () => end(resolve));
    socket.once('error', (error) => end(() => reject(error)));
  });
}
