/** Results in parts: one message a part, at the pace of `msg.tick` where asked. */
import { asText, cancelled, type Clock, type Failure, type Scope, type Timer } from '../core';
import type { Chunked, Patch, Result } from './declare';

export function isChunked(result: Result): result is Chunked {
  return typeof result === 'object' && result !== null && 'chunks' in result && 'paced' in result;
}

/** The reader of one paced result waits here for the next tick, but not for ever. */
export class Pace {
  readonly #limit: ((late: () => void) => Timer) | undefined;
  readonly #late: () => Failure;
  #waiting: { readonly go: () => void; readonly stop: (reason: Failure) => void } | undefined;
  #owed = 0;
  #ended: Failure | undefined;

  constructor(clock?: Clock, longestMs = 0, late: () => Failure = cancelled) {
    this.#limit = clock && ((end) => clock.timer(longestMs, end));
    this.#late = late;
  }

  tick(): void {
    if (this.#waiting) this.#waiting.go();
    else this.#owed = 1;
  }

  /** Whoever waits, now or later, gets the reason instead of a tick. */
  end(reason: Failure): void {
    this.#ended ??= reason;
    this.#waiting?.stop(reason);
  }

  wait(scope: Scope): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (this.#owed > 0) {
      this.#owed = 0;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#waiting = undefined;
        off();
        timer?.cancel();
      };
      const stop = (reason: Failure): void => {
        finish();
        reject(reason);
      };
      const go = (): void => {
        finish();
        resolve();
      };
      const timer = this.#limit?.(() => stop(this.#late()));
      let off = (): void => {};
      this.#waiting = { go, stop };
      off = scope.onAbort(stop);
    });
  }
}

export interface Emission {
  readonly send: (patch: Patch, parts: Parts, last: boolean) => void;
  readonly scope: Scope;
  readonly pace: Pace;
  readonly id: string;
  /** Bounds the reading of each part: calls `expire` in time, unless cancelled. */
  readonly limit?: (expire: (failure: Failure) => void) => Timer;
}
export interface Parts {
  readonly id: string;
  readonly index: number;
  readonly count?: number;
}

/**
 * Reads one part ahead, so that the last part can be marked and no empty message follows it. An iterator that
 * is left early is told so, which frees cursors.
 */
export async function emitChunks(result: Chunked, to: Emission): Promise<number> {
  const iterator = result.chunks[Symbol.asyncIterator]();
  let index = 0;
  try {
    let next = await bounded(iterator.next(), to);
    if (next.done) {
      to.send({ payload: [] }, { id: to.id, index: 0, count: 0 }, true);
      return 0;
    }
    for (;;) {
      const following = await bounded(iterator.next(), to);
      const last = following.done === true;
      to.send(next.value, { id: to.id, index, ...(last ? { count: index + 1 } : {}) }, last);
      index += 1;
      if (last) return index;
      next = following;
      if (result.paced) await to.pace.wait(to.scope);
    }
  } finally {
    // Not awaited: a peer that hangs must not hold up the end of a result that was left early.
    void free(iterator);
  }
}

async function free(iterator: AsyncIterator<Patch>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // Whatever it was: the result is over.
  }
}

function bounded<T>(promise: Promise<T>, { scope, limit }: Emission): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = limit?.((failure) => finish(() => reject(failure)));
    let off = (): void => {};
    const finish = (then: () => void): void => {
      off();
      timer?.cancel();
      then();
    };
    // Always both handlers: a part that fails after the end must not become an unhandled rejection.
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error instanceof Error ? error : new Error(asText(error)))),
    );
    off = scope.onAbort((reason) => finish(() => reject(reason)));
  });
}
