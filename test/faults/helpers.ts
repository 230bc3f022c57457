/** A talkative client and server for the proxy's own tests. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Address } from './fault';

export interface Echo extends Address {
  close(): Promise<void>;
}

/** Answers every piece with the same bytes in upper case. */
export async function startEcho(): Promise<Echo> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    socket.on('data', (bytes: Buffer) => socket.write(bytes.toString().toUpperCase()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export class Client {
  readonly #socket: Socket;
  readonly pieces: Buffer[] = [];
  /** How the connection ended: an error code, "end", or undefined while it is open. */
  ended: string | undefined;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const end = (why: string): void => {
      this.ended ??= why;
      this.#wake();
    };
    socket.on('data', (bytes: Buffer) => {
      this.pieces.push(bytes);
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.on('end', () => end('end'));
    socket.on('close', () => end('close'));
  }

  /** Rejects with the error of the connection attempt. */
  static async to(address: Address): Promise<Client> {
    const socket = connect({ host: address.host, port: address.port });
    await once(socket, 'connect');
    return new Client(socket);
  }

  get heard(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }
  send(text: string): void {
    this.#socket.write(text);
  }
  /** Waits for what must come; mocha's limit ends a wait in vain. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
  async hears(text: string): Promise<void> {
    await this.until(() => this.heard.endsWith(text));
  }
  close(): void {
    this.#socket.destroy();
  }
}
