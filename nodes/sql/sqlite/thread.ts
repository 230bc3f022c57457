/** The main thread's end of the SQLite worker: requests in, promises out. */
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../lib/core';
import type { AnswerOf, Operation, Reply, Request, RequestOf, SqliteErrorRecord } from './protocol';

/** An error of SQLite or of its worker; `errcode` is SQLite's extended result code, 0 when there is none. */
export class SqliteError extends Error {
  readonly code: string;
  readonly errcode: number;
  readonly index: number | undefined;

  constructor(record: SqliteErrorRecord) {
    super(record.message);
    this.name = 'SqliteError';
    this.code = record.code;
    this.errcode = record.errcode;
    this.index = record.index;
  }
}

/** Both steps of closing together stay within the two seconds that a connector has. */
const PATIENCE_MS = 900;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: SqliteError): void;
}

export class SqliteThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended: SqliteError | undefined;

  /** `lost` is called once when the thread ends without `close`. */
  constructor(lost: (error: SqliteError) => void) {
    this.#worker = startWorker();
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    const end = (why: string): void => {
      if (this.#ended) return;
      this.#ended = new SqliteError({ code: 'SQLITE_THREAD_ENDED', errcode: 0, message: why });
      this.#failAll(this.#ended);
      lost(this.#ended);
    };
    this.#worker.on('error', (error: Error) => end(`The database thread failed: ${error.message}`));
    this.#worker.on('exit', () => end('The database thread ended.'));
  }

  ask<O extends Operation>(op: O, body: RequestOf<O>): Promise<AnswerOf<O>> {
    return new Promise<AnswerOf<O>>((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      this.#lastId += 1;
      // Only a running request keeps the process alive.
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(this.#lastId, { resolve: resolve, reject });
      this.#worker.postMessage({ id: this.#lastId, op, body } satisfies Request);
    });
  }

  /** Ends the thread, after what it was asked; a statement that hangs in the disk driver is abandoned. */
  async close(clock: Clock): Promise<void> {
    if (!this.#ended) await this.#patiently(this.ask('end', {}), clock);
    this.#ended ??= new SqliteError({
      code: 'SQLITE_THREAD_ENDED',
      errcode: 0,
      message: 'The database is closed.',
    });
    this.#failAll(this.#ended);
    await this.#patiently(this.#worker.terminate(), clock);
  }

  async #patiently(work: Promise<unknown>, clock: Clock): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = clock.timer(PATIENCE_MS, resolve);
      const end = (): void => {
        timer.cancel();
        resolve();
      };
      work.then(end, end);
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in reply) waiting.reject(new SqliteError(reply.error));
    else waiting.resolve(reply.value);
  }

  #failAll(error: SqliteError): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.#worker.unref();
  }
}

/** The worker stands beside this file, compiled or not; uncompiled it needs the loader this file came through. */
function startWorker(): Worker {
  const extension = extname(__filename);
  const file = join(__dirname, `worker${extension}`);
  return new Worker(file, extension === '.ts' ? { execArgv: ['--require', require.resolve('tsx/cjs')] } : {});
}
