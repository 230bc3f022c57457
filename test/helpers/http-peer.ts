/** A plain HTTP peer, and a node of the http system that talks to it. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock, type Clock, type Message } from '../../lib/core';
import { adapter } from '../../nodes/http/adapter';
import { connector } from '../../nodes/http/connector';
import { Harness } from './harness';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}
export type Reply = (seen: Seen, res: ServerResponse) => void;

/** Answers with what `reply` says and remembers every request. */
export class Peer {
  readonly seen: Seen[] = [];
  reply: Reply = (_seen, res) => void res.end('{}');
  readonly #server: Server;
  readonly #scheme: string;

  constructor(tls?: ServerOptions) {
    const handle = (req: IncomingMessage, res: ServerResponse): void => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const { method = '', url = '', headers } = req;
        const seen = { method, url, headers, body: Buffer.concat(chunks) };
        this.seen.push(seen);
        this.reply(seen, res);
      });
      req.on('error', () => {});
    };
    this.#scheme = tls ? 'https' : 'http';
    this.#server = tls ? createTlsServer(tls, handle) : createServer(handle);
  }

  get server(): Server {
    return this.#server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  get last(): Seen {
    const last = this.seen.at(-1);
    assert.ok(last, 'the peer got no request');
    return last;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  (_seen, res) =>
    void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

export interface Client {
  readonly harness: Harness;
  /** The one message that came out. */
  send(msg: Message): Promise<Message>;
  sendAll(msg: Message): Promise<Message[]>;
  close(): Promise<void>;
}
/** An adapter node on a connection node, run by the roles; without retries unless asked for. */
export function client(
  connection: Readonly<Record<string, unknown>>,
  node: Readonly<Record<string, unknown>> = {},
  secrets: Readonly<Record<string, unknown>> = {},
  clock: Clock = systemClock,
): Client {
  const harness = new Harness({ clock });
  const link = harness.connection(connector, connection, secrets);
  const { send } = harness.adapter(adapter, link.connection, {
    retryStrategy: 'none',
    ...node,
  });
  return {
    harness,
    sendAll: send,
    send: async (msg) => {
      const [first, ...more] = await send(msg);
      assert.ok(first);
      assert.equal(more.length, 0);
      return first;
    },
    close: () => harness.close(),
  };
}
