/** The socket under a connection: TCP or TLS, ended with the scope. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Scope } from '../../lib/core';
import type { TlsOptions } from '../../lib/secrets/types';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `tls` undefined: plain TCP. */
export function dial(address: Address, tls: TlsOptions | undefined, scope: Scope): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = address;
    const socket = tls ? connectTls({ host, port, ...tls }) : connectTcp({ host, port });
    const fail = (error: unknown): void => {
      off();
      socket.destroy();
      reject(error);
    };
    const closed = (): void => fail(new Error('Unexpected close'));
    const off = scope.onAbort((reason) => fail(reason));
    // Never removed before another stands: a socket without one ends the process.
    socket.on('error', fail);
    socket.once('close', closed);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      off();
      if (scope.aborted) return;
      socket.off('close', closed);
      // Frames are small, and each confirmation waits for one.
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      resolve(socket);
    });
  });
}
