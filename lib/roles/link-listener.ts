import type { Meter } from '../observe/meter';
import type { PolicyListener } from '../policy/events';
import type { Runtime } from './runtime';

export interface LinkListenerDeps {
  readonly meter: Meter;
  readonly health: ReturnType<Runtime['board']['track']>;
  /** The peer answered. */
  readonly alive: (now: number) => void;
  readonly notify: () => void;
}

/** Joins metrics, health, watchdog and status to the policies' events. */
export function linkListener({ meter, health, alive, notify }: LinkListenerDeps): PolicyListener {
  return {
    attempt: (n) => meter.attempt(n),
    success: (ms, now) => {
      meter.success(ms);
      health.success(ms, now);
      alive(now);
    },
    failure: (failure, willRetry) => {
      meter.failure(failure, willRetry);
      health.failure(failure);
    },
    retry: (delayMs, attempt) => meter.retry(delayMs, attempt),
    timeout: () => meter.timeout(),
    breaker: (state) => {
      meter.breaker(state);
      health.breaker(state);
      notify();
    },
    rateLimited: (waitMs) => meter.rateLimited(waitMs),
    bulkheadFull: () => meter.bulkheadFull(),
    paused: (ms) => meter.paused(ms),
    cache: (hit) => meter.cache(hit),
  };
}
