/** Evaluates the expressions of one node: simple ones at once, all others in a process with a deadline. */
import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { Failure, type Clock, type Timer } from '../../lib/core';
import { formatDuration } from '../../lib/spec';
import { plainCopy } from './clone';
import { evaluateHere } from './here';
import type { Job, Outcome } from './program';
import { sizeOf } from './size';
import { textOf } from './trouble';
import type { Answer, Task } from './worker';

/** A larger input goes to the process even for a simple expression: about 10 ms on the event loop. */
const SMALL = 5000;
const MOST_WAITING = 1000;
/** An idle process is ended: it holds some forty megabytes. */
const IDLE_MS = 30_000;
/** A process that is not ready by then has not started. */
const START_MS = 30_000;
const MEMORY_MB = 128;

export class Evaluator {
  #worker: ChildProcess | undefined;
  #ready = false;
  #idle: Timer | undefined;
  #deadline: Timer | undefined;
  #running:
    { readonly task: Task; readonly settle: (answer: readonly Outcome[] | string) => void } | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #nextId = 0;
  #closed = false;

  constructor(
    private readonly limitMs: number,
    private readonly clock: Clock,
  ) {}

  /** Outcomes in the order of the jobs. Calls are answered in the order in which they came. */
  run(jobs: readonly Job[], msg: unknown): Promise<readonly Outcome[]> {
    if (this.#waiting >= MOST_WAITING) {
      const sentence = `${MOST_WAITING} messages already wait for their expressions; this one was not mapped.`;
      return Promise.reject(new Failure('transient', 'BULKHEAD_FULL', sentence, { reached: false }));
    }
    this.#waiting += 1;
    const result = this.#tail.then(() => this.#evaluate(jobs, msg));
    this.#tail = result.then(
      () => void (this.#waiting -= 1),
      () => void (this.#waiting -= 1),
    );
    return result;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end('the node is stopping');
  }

  #evaluate(jobs: readonly Job[], msg: unknown): Promise<readonly Outcome[]> {
    const left = { size: SMALL };
    const simple = jobs.every(({ expression, input }) => {
      left.size -= sizeOf(input, left.size) + (expression.readsMsg ? sizeOf(msg, left.size) : 0);
      return expression.simple && left.size > 0;
    });
    return simple ? Promise.all(jobs.map((job) => evaluateHere(job, msg))) : this.#inWorker(jobs, msg);
  }

  async #inWorker(jobs: readonly Job[], msg: unknown): Promise<readonly Outcome[]> {
    if (this.#closed)
      throw new Failure('cancelled', 'CANCELLED', 'The node is stopping.', { reached: false });
    let inputs: readonly unknown[];
    let copy: unknown;
    try {
      const readsMsg = jobs.some(({ expression }) => expression.readsMsg);
      [copy, ...inputs] = plainCopy([readsMsg ? msg : undefined, ...jobs.map(({ input }) => input)]);
    } catch (error) {
      return jobs.map(() => ({ error: textOf(error) }));
    }
    const task: Task = {
      id: (this.#nextId += 1),
      jobs: jobs.map(({ expression }, i) => ({ text: expression.text, input: inputs[i] })),
      msg: copy,
    };
    this.#idle?.cancel();
    const answer = await new Promise<readonly Outcome[] | string>((settle) => {
      this.#running = { task, settle };
      if (!this.#worker) this.#start();
      else if (this.#ready) this.#post();
      hold(this.#worker, true);
    });
    this.#deadline?.cancel();
    this.#running = undefined;
    hold(this.#worker, false);
    this.#throwIfClosed();
    if (this.#worker) this.#idle = this.clock.timer(IDLE_MS, () => void this.#end('idle'));
    return typeof answer === 'string' ? jobs.map(() => ({ error: answer })) : answer;
  }

  #throwIfClosed(): void {
    if (this.#closed)
      throw new Failure('cancelled', 'CANCELLED', 'The node is stopping.', { reached: false });
  }

  #start(): void {
    const worker = startWorker();
    this.#worker = worker;
    this.#ready = false;
    worker.on('message', (message: Answer | 'ready') => {
      if (this.#worker !== worker) return;
      if (message === 'ready') {
        this.#ready = true;
        this.#post();
      } else if (message.id === this.#running?.task.id) this.#running.settle(message.outcomes);
    });
    const gone = (why: string): void => {
      if (this.#worker === worker) void this.#end(why);
    };
    worker.on('error', (error) => gone(`the process for expressions failed: ${textOf(error)}`));
    worker.on('exit', () =>
      gone(`the expression used more than ${MEMORY_MB} MB of memory, or its process was ended`),
    );
    this.#limit(START_MS, 'the process for expressions did not start');
  }

  #post(): void {
    if (!this.#running) return;
    this.#limit(
      this.limitMs,
      `the expression took longer than ${formatDuration(this.limitMs)} and was stopped`,
    );
    // A failed send shows as the end of the process.
    this.#worker?.send(this.#running.task, () => {});
  }

  #limit(ms: number, why: string): void {
    this.#deadline?.cancel();
    this.#deadline = this.clock.timer(ms, () => void this.#end(why));
  }

  /** Ends the process, whatever it is doing. */
  async #end(why: string): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#ready = false;
    this.#idle?.cancel();
    this.#deadline?.cancel();
    this.#running?.settle(why);
    if (worker) await ended(worker);
  }
}

function startWorker(): ChildProcess {
  const type = extname(__filename);
  // From source, as in tests, the process needs the same loader as its parent.
  const loader = type === '.ts' ? ['--require', createRequire(__filename).resolve('tsx/cjs')] : [];
  const worker = fork(join(__dirname, `worker${type}`), {
    execArgv: [`--max-old-space-size=${MEMORY_MB}`, ...loader],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return worker;
}

/** Only a process that works keeps the runtime alive. */
function hold(worker: ChildProcess | undefined, busy: boolean): void {
  if (busy) worker?.ref();
  else worker?.unref();
  if (busy) worker?.channel?.ref();
  else worker?.channel?.unref();
}

function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null || worker.pid === undefined)
    return Promise.resolve();
  return new Promise((resolve) => {
    worker.ref();
    worker.once('exit', () => resolve());
    worker.kill('SIGKILL');
  });
}
