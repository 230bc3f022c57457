/** Bounds the bytes that wait for confirmation: what is not confirmed stands in this process's memory. */
import type { Scope } from '../../lib/core';

export class Room {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Anything fits into an empty room. */
  tryTake(bytes: number): boolean {
    if (this.#used > 0 && this.#used + bytes > this.#limit) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves when something was given back. */
  freed(scope: Scope): Promise<void> {
    return new Promise((resolve, reject) => {
      const off = scope.onAbort((reason) => {
        this.#waiting.delete(wake);
        reject(reason);
      });
      const wake = (): void => {
        off();
        resolve();
      };
      if (!scope.aborted) this.#waiting.add(wake);
    });
  }
}
