/** Time as an injected service, so that tests never sleep. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time, milliseconds since 1970 UTC. For display and records only: it may jump. */
  now(): number;
  /** Monotonic time in milliseconds with fractions. For every duration and order. */
  mono(): number;
  /** Calls `fn` once, after at least `ms` milliseconds. Must not keep the process alive. */
  timer(ms: number, fn: () => void): Timer;
}

/** setTimeout's limit: 2^31-1 ms. Longer waits are chained. */
const LONGEST = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  timer(ms, fn) {
    let handle: NodeJS.Timeout;
    const arm = (left: number): void => {
      const step = Math.min(left, LONGEST);
      handle = setTimeout(() => (left > step ? arm(left - step) : fn()), step);
      handle.unref();
    };
    arm(Math.max(0, ms));
    return { cancel: () => clearTimeout(handle) };
  },
};

/** A number in [0, 1). Injected wherever jitter or sampling is used. */
export type Random = () => number;
