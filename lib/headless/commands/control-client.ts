/** Asks a running Node-RED through its control channel. */
import { connect, type Socket } from 'node:net';
import { Failure, FAILURE_KINDS, type Clock } from '../../core';
import type { DeadAction, DeadAnswer } from '../../queue/dead';
import { readAddress } from '../../red/dead-letters/control-address';
import { CONTROL_VERSION, LONGEST_ANSWER, onLines, writeLine } from '../../red/dead-letters/control-lines';

const ANSWER_MS = 60_000;

/** The answer; undefined when no runtime listens. `folder` holds the store. */
export async function askRuntime(
  folder: string,
  action: DeadAction,
  request: unknown,
  clock: Clock,
): Promise<DeadAnswer | undefined> {
  const address = await readAddress(folder);
  const socket = address === undefined ? undefined : await open(address);
  if (!socket) return undefined;
  try {
    const line = await exchange(
      socket,
      () => writeLine(socket, { holdfast: CONTROL_VERSION, action, request }),
      clock,
    );
    return readAnswer(line);
  } finally {
    socket.destroy();
  }
}

/** A channel that a killed runtime left is no channel. */
function open(address: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' || error.code === 'EPERM') {
        const sentence =
          'The running Node-RED belongs to another user of this machine; run the command as that user (sudo -u <user>).';
        reject(new Failure('config', 'BAD_CONFIG', sentence, { reached: false }));
      } else resolve(undefined);
    });
  });
}

function exchange(socket: Socket, send: () => void, clock: Clock): Promise<string> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(unanswered());
    const timer = clock.timer(ANSWER_MS, lost);
    socket.on('error', lost);
    socket.once('close', () => {
      timer.cancel();
      lost();
    });
    onLines(socket, LONGEST_ANSWER, resolve, lost);
    send();
  });
}

function readAnswer(text: string): DeadAnswer {
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    throw unanswered();
  }
  const { holdfast, answer, failure } = (told ?? {}) as Readonly<Record<string, unknown>>;
  if (holdfast === CONTROL_VERSION && typeof answer === 'object' && answer !== null)
    return answer as DeadAnswer;
  if (typeof failure !== 'object' || failure === null) throw unanswered();
  const { kind, code, message } = failure as Readonly<Record<string, unknown>>;
  const known = FAILURE_KINDS.find((one) => one === kind) ?? 'unclassified';
  throw new Failure(known, String(code), String(message));
}

function unanswered(): Failure {
  const sentence =
    'The running Node-RED did not answer, so it is not known whether it acted. List the dead letters to see.';
  return new Failure('transient', 'OUTCOME_UNKNOWN', sentence);
}
