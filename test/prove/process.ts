/** Runs a process of this folder with the ledger's pipe, and ends it and everything that traces it for sure. */
import { spawn, type ChildProcess } from 'node:child_process';
import { lineReader, type LedgerEvent } from './ledger';

export interface Outcome<E = LedgerEvent> {
  readonly events: readonly E[];
  /** It neither ended nor died in time. */
  readonly hung: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  readonly errors: string;
}

export interface RunOptions<E = LedgerEvent> {
  /** What stands before the program: strace, faketime and their arguments. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Sees each event as it comes. */
  readonly onEvent?: (event: E, control: Control) => void;
  readonly nodeOptions?: readonly string[];
  readonly limitMs?: number;
}

export interface Control {
  kill(): void;
  /** A line for its standard input. */
  say(text: string): void;
}

/** A process that neither ends nor dies within this time has lost a promise. */
const LIMIT_MS = 60_000;
const MOST_ERRORS = 4000;

export function run<E = LedgerEvent>(
  program: string,
  work: unknown,
  options: RunOptions<E> = {},
): Promise<Outcome<E>> {
  const node = [process.execPath, ...(options.nodeOptions ?? []), program, JSON.stringify(work)];
  const [command, ...args] = [...(options.wrapper ?? []), ...node] as [string, ...string[]];
  const child = spawn(command, args, {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    // A group of its own: killing strace alone would let the traced process live on.
    detached: true,
  });
  const end = (): void => killGroup(child);
  process.setMaxListeners(0);
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  return observe(child, options);
}

function observe<E>(child: ChildProcess, options: RunOptions<E>): Promise<Outcome<E>> {
  const events: E[] = [];
  let hung = false;
  let errors = '';
  const kill = (): void => killGroup(child);
  // A process that has died no longer reads what it is told.
  child.stdin?.on('error', () => undefined);
  const control: Control = { kill, say: (text) => void child.stdin?.write(`${text}\n`) };
  const note = (text: string): void => void (errors = (errors + text).slice(-MOST_ERRORS));
  const limit = setTimeout(() => {
    hung = true;
    kill();
  }, options.limitMs ?? LIMIT_MS);
  const read = lineReader((value) => {
    const event = value as E;
    events.push(event);
    options.onEvent?.(event, control);
  });
  child.stdio[3]?.on('data', read);
  child.stderr?.on('data', (chunk: Buffer) => note(String(chunk)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    // `close` comes after the pipes' end, so that every line has been read.
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ events, hung, code, signal, errors });
    });
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
