/** Node-RED inside this process, for flow tests and for running flow files without an editor. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Message } from '../core';
import { observe } from './observe';
import { FlowRecord, textOf } from './record';
import type { FlowCredentials, FlowNode, LogLine, NodeRed, NodeStatus } from './types';

export interface BootOptions {
  readonly flows: readonly FlowNode[];
  readonly credentials?: FlowCredentials;
  /** Folder of the palette to load in place. Default: the package this file belongs to. */
  readonly projectRoot?: string;
  /** Folder from which `node-red` is resolved. Default: the project root. */
  readonly redPath?: string;
  /** Kept on stop. Default: a fresh folder, removed on stop. */
  readonly userDir?: string;
  /** More Node-RED settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Serve the admin and node routes on a free port of 127.0.0.1. Default: false. */
  readonly http?: boolean;
  /** Sees every log line as it comes. */
  readonly onLog?: (line: LogLine) => void;
  /** How long the flows may take to start, in milliseconds. Default: 30,000. */
  readonly startWithinMs?: number;
}

export interface Headless {
  readonly RED: NodeRed;
  readonly userDir: string;
  /** `http://127.0.0.1:<port>`; undefined without `http`. */
  readonly url: string | undefined;
  readonly record: FlowRecord;
  /** Replaces all flows and waits until they run. Rejects when a node type is missing. */
  deploy(flows: readonly FlowNode[], credentials?: FlowCredentials): Promise<void>;
  /** Puts a message into a node's input, as a wire would. */
  receive(id: string, msg: Message): void;
  /** The first message that arrived or arrives at a node and fits. */
  waitFor(id: string, fits?: (msg: Message) => boolean): Promise<Message>;
  status(id: string): NodeStatus | undefined;
  /** Waits for a status that fits; the present one counts. */
  waitForStatus(id: string, fits: (status: NodeStatus) => boolean): Promise<NodeStatus>;
  stop(): Promise<void>;
}

/** Boots Node-RED and starts the flows. One at a time in a process; any number one after the other. */
export async function boot(options: BootOptions): Promise<Headless> {
  const root = options.projectRoot ?? packageRoot(__dirname);
  const RED = requireNodeRed(options.redPath === undefined ? [root, process.cwd()] : [options.redPath]);
  const userDir = options.userDir ?? mkdtempSync(join(tmpdir(), 'holdfast-headless-'));
  const record = new FlowRecord();
  // Node-RED itself adds listeners at every start and never removes them.
  RED.events.setMaxListeners(0);
  const server = createServer();
  const limit = options.startWithinMs ?? 30_000;
  RED.init(server, { ...settingsOf(options, root, userDir, record), ...options.settings });
  const stopObserving = observe(RED, record);
  const stop = async (): Promise<void> => {
    stopObserving();
    await RED.stop();
    await closeServer(server);
    if (options.userDir === undefined) rmSync(userDir, { recursive: true, force: true, maxRetries: 3 });
  };
  const deploy = (flows: readonly FlowNode[], credentials: FlowCredentials = {}): Promise<void> =>
    whenStarted(RED, limit, () =>
      RED.runtime.flows.setFlows({
        flows: { flows: withCredentials(flows, credentials) },
        deploymentType: 'full',
      }),
    );

  try {
    await whenStarted(RED, limit, () => RED.start());
    if (options.http === true) await listen(server, RED);
    if (options.flows.length > 0) await deploy(options.flows, options.credentials);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    RED,
    userDir,
    url: server.listening ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : undefined,
    record,
    deploy,
    receive(id, msg) {
      const node = RED.nodes.getNode(id);
      if (!node) throw new Error(`No node "${id}" is running.`);
      node.receive(msg);
    },
    waitFor: (id, fits = () => true) =>
      record.until(`a message at "${id}"`, () => record.received(id).find(fits)),
    status: (id) => record.status(id),
    waitForStatus: (id, fits) =>
      record.until(`a status of "${id}"`, () => {
        const status = record.status(id);
        return status !== undefined && fits(status) ? status : undefined;
      }),
    stop,
  };
}

/** An installed palette lies beside Node-RED, not above it; the folder of the call may have its own. */
function requireNodeRed(folders: readonly string[]): NodeRed {
  for (const folder of folders) {
    const require = createRequire(join(folder, 'package.json'));
    try {
      require.resolve('node-red');
    } catch {
      continue;
    }
    return require('node-red') as NodeRed;
  }
  throw new Error('Node-RED was not found; install it in this folder with "npm install node-red".');
}

/** The nearest folder above that holds a Node-RED palette's package.json. */
function packageRoot(from: string): string {
  const file = join(from, 'package.json');
  if (existsSync(file) && 'engines' in (JSON.parse(readFileSync(file, 'utf8')) as object)) return from;
  if (dirname(from) === from) throw new Error('No package.json was found above the headless runner.');
  return packageRoot(dirname(from));
}

function settingsOf(options: BootOptions, root: string, userDir: string, record: FlowRecord): object {
  const capture = (line: { level: number; id?: string; type?: string; msg: unknown }): void => {
    const entry = { level: line.level, id: line.id ?? '', type: line.type ?? '', text: textOf(line.msg) };
    record.addLog(entry);
    options.onLog?.(entry);
  };
  return {
    userDir,
    flowFile: 'flows.json',
    credentialSecret: 'headless',
    nodesDir: [root],
    httpAdminRoot: options.http === true ? '/' : false,
    httpNodeRoot: options.http === true ? '/' : false,
    disableEditor: true,
    telemetry: { enabled: false, updateNotification: false },
    externalModules: {
      autoInstall: false,
      palette: { allowInstall: false },
      modules: { allowInstall: false },
    },
    logging: {
      console: { level: 'off', metrics: false, audit: false },
      capture: { level: 'debug', metrics: false, audit: false, handler: () => capture },
    },
  };
}

function withCredentials(flows: readonly FlowNode[], credentials: FlowCredentials): FlowNode[] {
  return flows.map((node) => {
    const own = credentials[node.id];
    return own === undefined ? { ...node } : { ...node, credentials: own };
  });
}

/** Runs `act` and waits until the flows run after it. */
async function whenStarted(RED: NodeRed, limitMs: number, act: () => Promise<unknown>): Promise<void> {
  let settle: (error?: Error) => void = () => {};
  const started = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  const onStarted = (): void => settle();
  const onEvent = (event: { id?: string; payload?: { error?: string; types?: readonly string[] } }): void => {
    const { error, types = [] } = event.payload ?? {};
    if (event.id !== 'runtime-state' || error === undefined) return;
    settle(new Error(`The flows cannot start (${error}): ${types.join(', ')}`));
  };
  const timer = setTimeout(() => settle(new Error(`The flows did not start within ${limitMs} ms.`)), limitMs);
  RED.events.on('flows:started', onStarted);
  RED.events.on('runtime-event', onEvent);
  try {
    await Promise.all([started, act()]);
  } finally {
    clearTimeout(timer);
    RED.events.off('flows:started', onStarted);
    RED.events.off('runtime-event', onEvent);
  }
}

async function listen(server: Server, RED: NodeRed): Promise<void> {
  server.on('request', (request, response) => {
    RED.httpAdmin(request, response, () =>
      RED.httpNode(request, response, () => response.writeHead(404).end('Not found')),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
