/** The control channel of an open store: how the command reaches the dead letters while a runtime holds them. */
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { Failure, toFailure, type Clock, type Log } from '../../core';
import { badRequest, DEAD_ACTIONS } from '../../queue/dead';
import type { QueueStore } from '../../queue/types';
import type { Redactor } from '../../secrets/redact';
import { askDeadLetters } from './ask';
import { makeAddress, removeAddress, writeAddress } from './control-address';
import { CONTROL_VERSION, LONGEST_REQUEST, onLines, writeLine, type ControlAnswer } from './control-lines';

const MOST_CLIENTS = 8;
const IDLE_MS = 30_000;

export interface ControlOptions {
  /** Folder of the store; only the holder of its lock may serve it. */
  readonly folder: string;
  readonly store: QueueStore;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly log: Log;
}
export interface Control {
  close(): Promise<void>;
}

/** Serves the channel. Rejects when this system or folder allows none; the store works without. */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { folder } = options;
  const address = await makeAddress(folder);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, options);
  });
  server.maxConnections = MOST_CLIENTS;
  // The channel must not keep a process alive that has nothing else to do.
  server.unref();
  try {
    await listen(server, address);
    if (process.platform !== 'win32') await chmod(address, 0o600);
    await writeAddress(folder, address);
  } catch (error) {
    await close(server, sockets);
    await removeAddress(folder, address);
    throw error;
  }
  return {
    close: async () => {
      await close(server, sockets);
      await removeAddress(folder, address);
    },
  };
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.removeListener('error', reject);
      // A listening socket that fails later must not end the runtime.
      server.on('error', () => {});
      resolve();
    });
  });
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** One request after the other; a client that says nothing for long is sent away. */
function serve(socket: Socket, options: ControlOptions): void {
  let last = Promise.resolve();
  let pending = 0;
  let idle = options.clock.timer(IDLE_MS, () => socket.destroy());
  const answer = async (text: string): Promise<void> => {
    idle.cancel();
    const line = await answerLine(text, options);
    if (socket.destroyed) return;
    writeLine(socket, line);
    idle = options.clock.timer(IDLE_MS, () => socket.destroy());
  };
  socket.on('error', () => {});
  socket.once('close', () => idle.cancel());
  onLines(
    socket,
    LONGEST_REQUEST,
    (text) => {
      // What a client sends ahead waits in its own socket, not in memory.
      socket.pause();
      pending += 1;
      last = last
        .then(() => answer(text))
        .finally(() => {
          pending -= 1;
          if (pending === 0) socket.resume();
        });
    },
    () => socket.destroy(),
  );
}

async function answerLine(text: string, { store, redactor, clock }: ControlOptions): Promise<ControlAnswer> {
  try {
    const { action, request } = readLine(text);
    const answer = await askDeadLetters(store, action, request, redactor, clock.now());
    return { holdfast: CONTROL_VERSION, answer };
  } catch (error) {
    const { kind, code, message } = toFailure(error);
    return { holdfast: CONTROL_VERSION, failure: { kind, code, message: redactor.redact(message) } };
  }
}

function readLine(text: string): { action: (typeof DEAD_ACTIONS)[number]; request: unknown } {
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    throw badRequest('The control channel takes one JSON object a line.');
  }
  const { holdfast, action, request } = (told ?? {}) as Readonly<Record<string, unknown>>;
  if (holdfast !== CONTROL_VERSION) {
    const sentence = `The running Node-RED speaks version ${CONTROL_VERSION} of the control channel; use the command of the same Holdfast version.`;
    throw new Failure('config', 'BAD_CONFIG', sentence, { reached: false });
  }
  const known = DEAD_ACTIONS.find((one) => one === action);
  if (!known) throw badRequest(`The control channel knows ${DEAD_ACTIONS.join(', ')}.`);
  return { action: known, request };
}
