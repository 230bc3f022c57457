import type { SharedPolicies } from '../policy/pipeline';
import type { ConnectionSettings } from './framework-fields';

/** Longest pause that a peer may impose with Retry-After. */
const PAUSE_CAP_MS = 5 * 60_000;
/** A probe of a half-open breaker that never ends gives its place back after this. */
const PROBE_TIMEOUT_MS = 60_000;

/** The settings of a connection's Delivery tab as policies. */
export function sharedPolicies(settings: ConnectionSettings): SharedPolicies {
  return {
    breaker: {
      mode: settings.breakerMode,
      failures: settings.breakerFailures,
      rate: settings.breakerRate / 100,
      windowMs: settings.breakerWindow,
      minimumCalls: settings.breakerMinimum,
      openMs: settings.breakerOpen,
      probes: 1,
      probeTimeoutMs: PROBE_TIMEOUT_MS,
    },
    bulkhead: { concurrency: settings.concurrency, queue: settings.queueLength },
    pauseCapMs: PAUSE_CAP_MS,
    ...(settings.rateRequests > 0 && {
      rateLimit: {
        requests: settings.rateRequests,
        periodMs: settings.ratePeriod,
        burst: settings.rateBurst || settings.rateRequests,
        whenEmpty: settings.rateWhenEmpty,
        maxWaitMs: 0,
      },
    }),
  };
}
