/** A TLS front before a plain server: with the certificate of another host, or with the right one. */
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Address } from './fault';
import { makeAuthority, type Authority } from './certificate';

export interface TlsFront extends Address {
  /** PEM of the authority to trust. */
  readonly ca: string;
  /** Bytes that clients sent through the handshake: none when they refused the certificate. */
  readonly received: number;
  close(): Promise<void>;
}

/** `hosts` are the names of the certificate: `['127.0.0.1']` is right, anything else the wrong host. */
export async function startTlsFront(
  target: Address,
  hosts: readonly string[],
  authority: Authority = makeAuthority(),
): Promise<TlsFront> {
  const open = new Set<{ destroy(): void }>();
  let received = 0;
  const server = createServer(authority.issue(hosts), (client) => {
    client.on('data', (bytes: Buffer) => (received += bytes.length));
    const peer = connect({ host: target.host, port: target.port });
    for (const socket of [client, peer]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        open.delete(socket);
        client.destroy();
        peer.destroy();
      });
    }
    client.pipe(peer).pipe(client);
  });
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    ca: authority.cert,
    get received() {
      return received;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
