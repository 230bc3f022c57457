/**
 * A RabbitMQ node of a test's own: free ports, its own data, cookie and port mapper (epmd), so that it can be killed
 * and restarted while a machine-wide one runs beside it. About four seconds to start.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 30_000;
/** Debian's program of the same name in /usr/sbin switches users and folders; this is the one behind it. */
const BEHIND_DEBIAN = '/usr/lib/rabbitmq/bin';

export interface RabbitServerOptions {
  /** Lines of rabbitmq.conf beside the listener's. */
  readonly config?: readonly string[];
}

export class RabbitServer {
  readonly host = '127.0.0.1';
  readonly virtualHost = '/';
  readonly user = 'guest';
  readonly password = 'guest';
  #node: ChildProcess | undefined;
  /** Ends the node and the mapper when this process ends without doing so. */
  readonly #guard: ChildProcess;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly mapper: ChildProcess,
  ) {
    this.#guard = guard(folder, mapper);
  }

  /** A running node. Every one needs a `dispose`. */
  static async start(options: RabbitServerOptions = {}): Promise<RabbitServer> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-rabbit-'));
    const [port, distribution, mapperPort] = await freePorts();
    await writeFile(join(folder, 'plugins'), '[].');
    await writeFile(join(folder, 'rabbitmq.conf'), settings(port, options.config ?? []));
    const env = environment(folder, distribution, mapperPort);
    const mapper = spawn('epmd', ['-port', String(mapperPort), '-address', '127.0.0.1'], { stdio: 'ignore' });
    mapper.once('error', () => {}); // The node fails to start then, and says so.
    const server = new RabbitServer(port, folder, env, mapper);
    try {
      await server.restart();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  /** Starts the node again on the data it left. Resolves once it speaks AMQP. */
  async restart(): Promise<void> {
    if (this.#node) throw new Error('The RabbitMQ node runs already.');
    const node = spawn(program('rabbitmq-server'), [], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#node = node;
    await writeFile(join(this.folder, 'node.pid'), String(node.pid ?? ''));
    let said = '';
    const hear = (part: Buffer): void => {
      said = (said + part.toString()).slice(-4000);
    };
    node.stdout.on('data', hear);
    node.stderr.on('data', hear);
    let failed: Error | undefined;
    node.once('error', (error) => (failed = error));
    node.once('exit', () => (failed ??= new Error(`The RabbitMQ node ended while it started:\n${said}`)));
    for (const end = Date.now() + START_LIMIT_MS; !(await speaksAmqp(this.port)); await pause(50)) {
      if (failed) throw failed;
      if (Date.now() > end) throw new Error(`The RabbitMQ node does not start:\n${said}`);
    }
  }

  /** As a power cut: SIGKILL. */
  async kill(): Promise<void> {
    await end(this.#node, 'SIGKILL');
    this.#node = undefined;
  }

  /** In order; what is open is told. */
  async stop(): Promise<void> {
    await end(this.#node, 'SIGTERM');
    this.#node = undefined;
  }

  /**
   * Writes the tables of queue names to disk. A quorum queue that was made within the last half second before a kill
   * may not be found again by RabbitMQ; a test that kills the node settles it after it declared its queues.
   */
  async settle(): Promise<void> {
    await this.control('eval', '[ok = dets:sync(T) || T <- dets:all()], mnesia:sync_log().');
  }

  /** `rabbitmqctl` for this node; slow (seconds). Returns what it prints. */
  async control(...args: string[]): Promise<string> {
    const run = promisify(execFile)(program('rabbitmqctl'), ['--quiet', ...args], {
      env: this.env,
      timeout: 60_000,
    });
    return (await run).stdout;
  }

  /** The last lines of the node's log, for a failing test. */
  async log(): Promise<string> {
    const text = await readFile(join(this.folder, 'log', 'node.log'), 'utf8').catch(() => '');
    return text.slice(-8000);
  }

  /** Ends every process and removes the data. */
  async dispose(): Promise<void> {
    await this.kill();
    await end(this.mapper, 'SIGKILL');
    await end(this.#guard, 'SIGKILL');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** A shell that waits for the end of its input, which comes with the end of this process, however it ends. */
function guard(folder: string, mapper: ChildProcess): ChildProcess {
  const script = 'read _; kill -9 "$2" $(cat "$1/node.pid"); rm -rf "$1"';
  const args = ['-c', script, 'guard', folder, String(mapper.pid ?? '')];
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  return shell;
}

function program(name: string): string {
  const behind = join(BEHIND_DEBIAN, name);
  return existsSync(behind) ? behind : name;
}

function settings(port: number, more: readonly string[]): string {
  const own = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'log.file = node.log',
    'log.file.level = warning',
    'log.console = false',
    'disk_free_limit.absolute = 10MB',
  ];
  return [...own, ...more, ''].join('\n');
}

/** Nothing of the caller's environment but the path, so that a machine-wide configuration does not leak in. */
function environment(folder: string, distribution: number, mapperPort: number): NodeJS.ProcessEnv {
  const absent = join(folder, 'absent');
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: folder, // Holds the Erlang cookie.
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `holdfast-${distribution}@localhost`,
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_CONF_ENV_FILE: absent,
    RABBITMQ_ADVANCED_CONFIG_FILE: absent,
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    // The start script then becomes the node instead of watching it, so its process id is the node's.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
  };
}

/** Taken at once, so that they differ. */
async function freePorts(): Promise<[number, number, number]> {
  const servers = await Promise.all([listening(), listening(), listening()]);
  const [a, b, c] = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [a ?? 0, b ?? 0, c ?? 0];
}

function listening(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** Whether the port answers the protocol header with a frame; a listening port alone is no broker yet. */
function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1')));
    const answer = (yes: boolean) => (): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(5000, answer(false));
    socket.once('data', answer(true)).once('error', answer(false)).once('close', answer(false));
  });
}

async function end(process: ChildProcess | undefined, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (!process || process.pid === undefined || process.exitCode !== null || process.signalCode !== null)
    return;
  const ended = new Promise<void>((resolve) => process.once('exit', () => resolve()));
  process.kill(signal);
  const limit = setTimeout(() => process.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}
