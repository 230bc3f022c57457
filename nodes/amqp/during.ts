import type { Scope } from '../../lib/core';

/** Waits for a promise as long as the scope lasts. What it does later is nobody's business. */
export function during<T>(scope: Scope, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const off = scope.onAbort(reject);
    promise.then(
      (value) => {
        off();
        resolve(value);
      },
      (error: unknown) => {
        off();
        reject(error);
      },
    );
  });
}
