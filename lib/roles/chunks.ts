/** Results in parts: one message a part, at the pace of `msg.tick` where asked. */
import { Failure, type Scope } from '../core';
import type { Chunked, Patch, Result } from './declare';

export function isChunked(result: Result): result is Chunked {
  return typeof result === 'object' && result !== null && 'chunks' in result && 'paced' in result;
}

/** The reader of one paced result waits here for the next tick. */
export class Pace {
  #waiting: (() => void) | undefined;
  #owed = 0;

  tick(): void {
    if (this.#waiting) this.#waiting();
    else this.#owed = Math.min(this.#owed + 1, 1);
  }

  wait(scope: Scope): Promise<void> {
    if (this.#owed > 0) {
      this.#owed -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const off = scope.onAbort((reason) => {
        this.#waiting = undefined;
        reject(reason);
      });
      this.#waiting = () => {
        this.#waiting = undefined;
        off();
        resolve();
      };
    });
  }
}

export interface Emission {
  readonly send: (patch: Patch, parts: Parts, last: boolean) => void;
  readonly scope: Scope;
  readonly pace: Pace;
  readonly id: string;
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
    let next = await bounded(iterator.next(), to.scope);
    if (next.done) {
      to.send({ payload: [] }, { id: to.id, index: 0, count: 0 }, true);
      return 0;
    }
    for (;;) {
      const following = await bounded(iterator.next(), to.scope);
      const last = following.done === true;
      to.send(next.value, { id: to.id, index, ...(last ? { count: index + 1 } : {}) }, last);
      index += 1;
      if (last) return index;
      next = following;
      if (result.paced) await to.pace.wait(to.scope);
    }
  } finally {
    const freed = Promise.resolve(iterator.return?.()).catch(() => {});
    // A peer that hangs must not hold up the end of a cancelled result.
    if (!to.scope.aborted) await freed;
  }
}

function bounded<T>(promise: Promise<T>, scope: Scope): Promise<T> {
  if (scope.aborted)
    return Promise.reject(scope.reason ?? new Failure('cancelled', 'CANCELLED', 'Cancelled.'));
  return new Promise((resolve, reject) => {
    const off = scope.onAbort(reject);
    promise.then(
      (value) => {
        off();
        resolve(value);
      },
      (error: unknown) => {
        off();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
