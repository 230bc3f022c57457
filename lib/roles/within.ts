import { asText, type Clock } from '../core';

/** Waits for a promise, but no longer than `ms`. What it does later is nobody's business. */
export function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(ms, resolve);
    promise.then(
      () => {
        timer.cancel();
        resolve();
      },
      (error: unknown) => {
        timer.cancel();
        reject(error instanceof Error ? error : new Error(asText(error)));
      },
    );
  });
}
