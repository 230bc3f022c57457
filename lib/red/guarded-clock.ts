import { asText, type Clock } from '../core';

/** A throw in a timer ends Node-RED; here it becomes a line in the log. */
export function guardedClock(clock: Clock, report: (text: string) => void): Clock {
  return {
    now: clock.now,
    mono: clock.mono,
    timer: (ms, fn) =>
      clock.timer(ms, () => {
        try {
          fn();
        } catch (error) {
          report(
            `A timer of Holdfast failed: ${error instanceof Error ? (error.stack ?? '') : asText(error)}`,
          );
        }
      }),
  };
}
