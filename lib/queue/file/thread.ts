/** The main thread's end of the worker: requests in, replies out, in their order. */
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Reply, Request } from './protocol';

export interface Waiting {
  reply(reply: Reply): void;
  /** The thread ended before it answered. */
  lost(why: string): void;
}

export class Thread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #ended: string | undefined;

  /** `lost` is called once, when the thread ends without `end`. */
  constructor(lost: (why: string) => void, started?: (worker: Worker) => void) {
    this.#worker = startWorker();
    started?.(this.#worker);
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.shift();
      if (this.#waiting.length === 0) this.#worker.unref();
      waiting?.reply(reply);
    });
    const end = (why: string): void => {
      if (this.#ended !== undefined) return;
      this.#ended = why;
      this.#failAll(why);
      lost(why);
    };
    this.#worker.on('error', (error: Error) => end(error.message));
    this.#worker.on('exit', (code) => end(`it ended with code ${code}`));
  }

  send(request: Request, transfer: readonly ArrayBuffer[], waiting: Waiting): void {
    if (this.#ended !== undefined) {
      waiting.lost(this.#ended);
      return;
    }
    // Only what is under way keeps the process alive.
    if (this.#waiting.length === 0) this.#worker.ref();
    this.#waiting.push(waiting);
    this.#worker.postMessage(request, transfer);
  }

  ask(request: Request): Promise<Reply> {
    return new Promise((resolve) => {
      const lost = (why: string): void => resolve({ trouble: { kind: 'disk', message: why } });
      this.send(request, [], { reply: resolve, lost });
    });
  }

  /** Ends the thread at once; what it was asked and has not answered is lost. */
  async end(): Promise<void> {
    this.#ended ??= 'it was ended';
    this.#failAll(this.#ended);
    await this.#worker.terminate();
  }

  #failAll(why: string): void {
    this.#worker.unref();
    for (const waiting of this.#waiting.splice(0)) waiting.lost(why);
  }
}

/** The worker stands beside this file, compiled or not; uncompiled it needs the loader this file came through. */
function startWorker(): Worker {
  const extension = extname(__filename);
  const file = join(__dirname, `worker${extension}`);
  return new Worker(file, extension === '.ts' ? { execArgv: ['--require', require.resolve('tsx/cjs')] } : {});
}
