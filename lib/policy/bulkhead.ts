import { Waiters } from './waiters';

export interface BulkheadOptions {
  /** Calls running at the same time. */
  readonly concurrency: number;
  /** Calls waiting for their turn. */
  readonly queue: number;
}

/** Bounds how many calls run and wait at once. First in, first out. */
export class Bulkhead {
  readonly #options: BulkheadOptions;
  readonly #waiters = new Waiters(() => this.leave());
  #running = 0;

  constructor(options: BulkheadOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Takes a place if one is free; every success needs one `leave`. */
  tryEnter(): boolean {
    if (this.#running >= this.#options.concurrency) return false;
    this.#running += 1;
    return true;
  }

  /** Waits in line; `go` runs with the place taken. Returns the cancelling function; undefined when the line is full. */
  wait(go: () => void): (() => void) | undefined {
    if (this.#waiters.size >= this.#options.queue) return undefined;
    return this.#waiters.add(go);
  }

  /** Gives a place back; the first in line inherits it. */
  leave(): void {
    if (!this.#waiters.grant()) this.#running -= 1;
  }
}
