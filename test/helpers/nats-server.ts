/** A nats-server of the test's own, with JetStream: on a free port, in a temporary folder, killed and restarted at will. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NatsServerOptions {
  /** Lines of the server's configuration file, for users, permissions or limits. */
  readonly config?: string;
  readonly withoutJetStream?: boolean;
  /** PEM texts; the server then refuses clients without TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface NatsServer {
  readonly port: number;
  /** "127.0.0.1:port" */
  readonly address: string;
  /** SIGKILL, as a power cut ends it; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Stops the process without ending it, as a frozen machine does, and lets it go on. */
  freeze(): void;
  thaw(): void;
  /** The same port and folder again; resolves when it listens. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  destroy(): Promise<void>;
}

/** Starts a server and waits until it listens. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-nats-'));
  const port = await freePort();
  const file = await writeConfig(folder, port, options);
  let child: ChildProcess | undefined;

  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  };
  const start = async (): Promise<void> => {
    await kill();
    child = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
    await listening(child, port);
  };

  await start();
  return {
    port,
    address: `127.0.0.1:${port}`,
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    start,
    async destroy() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writeConfig(folder: string, port: number, options: NatsServerOptions): Promise<string> {
  const lines = [
    `listen: "127.0.0.1:${port}"`,
    options.withoutJetStream
      ? ''
      : `jetstream { store_dir: "${join(folder, 'data')}", max_mem: 64MB, max_file: 2GB }`,
    'max_payload: 8MB',
    options.config ?? '',
  ];
  if (options.tls) {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await writeFile(cert, options.tls.cert);
    await writeFile(key, options.tls.key);
    lines.push(`tls { cert_file: "${cert}", key_file: "${key}" }`);
  }
  const file = join(folder, 'server.conf');
  await writeFile(file, lines.join('\n'));
  return file;
}

/** Twenty seconds: a loaded machine may take long to start a process. */
async function listening(child: ChildProcess, port: number): Promise<void> {
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
  for (let tries = 0; tries < 400; tries += 1) {
    if (child.exitCode !== null) throw new Error(`nats-server ended with ${child.exitCode} on port ${port}.`);
    if (await Promise.race([answers(port), failed])) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`nats-server does not listen on port ${port}.`);
}

/** The server greets with INFO; an open port alone proves nothing. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('data', (data) => end(data.toString('latin1').startsWith('INFO ')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return address.port;
}

/** A real server has its own pace; only a generous limit ends the wait. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('What was waited for did not come about.');
}
