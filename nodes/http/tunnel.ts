/** Connections to an https server through a proxy (CONNECT, RFC 9110 section 9.3.6), pooled like direct ones. */
import { Agent, type AgentOptions } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Failure, type Clock } from '../../lib/core';

export interface Proxy {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

const LONGEST_HEAD = 16_384;
const LIMIT_MS = 30_000;

type Done = (error: Error | null, stream: Duplex) => void;
interface Target {
  readonly host?: string | null | undefined;
  readonly port?: string | number | null | undefined;
}

/** The proxy sees its own credentials in CONNECT and nothing else: the rest runs inside TLS to the server. */
export class TunnelAgent extends Agent {
  readonly #proxy: Proxy;
  readonly #proxyTls: ConnectionOptions;
  readonly #clock: Clock;
  readonly #pending = new Set<Socket>();

  constructor(proxy: Proxy, proxyTls: ConnectionOptions, clock: Clock, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
    this.#proxyTls = proxyTls;
    this.#clock = clock;
  }

  override createConnection(options: Target, done?: Done): undefined {
    const host = options.host ?? 'localhost';
    this.#tunnel(host, Number(options.port ?? 443)).then(
      (socket) => {
        const { path: _, ...rest } = options as ConnectionOptions;
        const servername = rest.servername || (isIP(host) ? '' : host);
        done?.(null, connectTls({ ...rest, host, servername, socket }));
      },
      (error: unknown) => done?.(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  }

  override destroy(): void {
    for (const socket of this.#pending) socket.destroy();
    super.destroy();
  }

  /** A socket to `host` whose bytes the proxy passes on. */
  async #tunnel(host: string, port: number): Promise<Socket> {
    const socket = openProxy(this.#proxy, this.#proxyTls);
    this.#pending.add(socket);
    const timer = this.#clock.timer(LIMIT_MS, () =>
      socket.destroy(proxyFailure(this.#proxy, 'does not answer')),
    );
    try {
      const head = await ask(socket, connectRequest(this.#proxy, host, port), this.#proxy);
      checkHead(head, this.#proxy, host);
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      timer.cancel();
      this.#pending.delete(socket);
    }
  }
}

/** A TCP or TLS connection to the proxy itself. */
export function openProxy(proxy: Proxy, tls: ConnectionOptions): Socket {
  const { hostname: host, port } = proxy;
  return proxy.secure
    ? connectTls({
        ...tls,
        host,
        port,
        ALPNProtocols: ['http/1.1'],
        ...(isIP(host) ? {} : { servername: host }),
      })
    : connectTcp({ host, port });
}

function connectRequest(proxy: Proxy, host: string, port: number): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const login = Buffer.from(`${proxy.username}:${proxy.password}`).toString('base64');
  const auth = proxy.username ? `Proxy-Authorization: Basic ${login}\r\n` : '';
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${auth}\r\n`;
}

/** Sends the request and reads the head of the answer; not a byte beyond it belongs to us. */
function ask(socket: Socket, request: string, proxy: Proxy): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const end = (act: () => void): void => {
      socket.off('data', onData).off('error', onError).off('close', onClose);
      // A late error of a socket that is being thrown away must not reach the process.
      socket.on('error', () => {});
      act();
    };
    const onData = (chunk: Buffer): void => {
      seen += chunk.toString('latin1');
      const at = seen.indexOf('\r\n\r\n');
      if (at >= 0 && at + 4 < seen.length)
        return end(() => reject(proxyFailure(proxy, 'sends data before its turn')));
      if (at >= 0) return end(() => resolve(seen.slice(0, at)));
      if (seen.length > LONGEST_HEAD)
        end(() => reject(proxyFailure(proxy, 'answers with an endless header')));
    };
    const onError = (error: Error): void => end(() => reject(error));
    const onClose = (): void => end(() => reject(proxyFailure(proxy, 'closed the connection')));
    socket.on('data', onData).on('error', onError).on('close', onClose);
    socket.write(request);
  });
}

function checkHead(head: string, proxy: Proxy, host: string): void {
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  if (status >= 200 && status < 300) return;
  if (status === 407) {
    const text = `The proxy ${proxy.hostname}:${proxy.port} refuses the proxy user name or password (407).`;
    throw new Failure('auth', 'AUTH_FAILED', text, { reached: false, details: { status } });
  }
  if (Number.isNaN(status)) throw proxyFailure(proxy, 'answers with something that is not HTTP');
  throw proxyFailure(proxy, `does not connect to ${host} (${status})`, status >= 500);
}

function proxyFailure(proxy: Proxy, what: string, passing = true): Failure {
  const text = `The proxy ${proxy.hostname}:${proxy.port} ${what}. Check the proxy settings of the connection.`;
  const code = what.startsWith('does not answer') ? 'CONNECTION_TIMEOUT' : 'PEER_ERROR';
  return new Failure(passing ? 'transient' : 'rejected', code, text, { reached: false });
}
