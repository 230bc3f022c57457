import type { Clock, Scope } from '../core';

/** Resolves after `ms` milliseconds; rejects at once with the scope's reason when the scope ends. */
export function sleep(clock: Clock, ms: number, scope: Scope): Promise<void> {
  return new Promise((resolve, reject) => {
    if (scope.reason) return reject(scope.reason);
    const off = scope.onAbort((reason) => {
      timer.cancel();
      reject(reason);
    });
    const timer = clock.timer(ms, () => {
      off();
      resolve();
    });
  });
}
