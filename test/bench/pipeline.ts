import { Scope, systemClock } from '../../lib/core';
import { createHealthBoard, Metrics } from '../../lib/observe';
import { Pipeline, TimerWheel } from '../../lib/policy';
import type {
  BreakerOptions,
  CallOptions,
  PolicyListener,
  RateLimitOptions,
  SharedPolicies,
} from '../../lib/policy';
import { interleave, type Case } from './measure';
import type { BenchSuite, Report } from './types';

/** Many short rounds: on a busy machine most of them are still undisturbed. */
const CALLS = 20_000;
const ROUNDS = 151;

const breaker: BreakerOptions = {
  mode: 'consecutive',
  failures: 5,
  rate: 0.5,
  windowMs: 60_000,
  minimumCalls: 20,
  openMs: 10_000,
  probes: 1,
  probeTimeoutMs: 30_000,
};
const rateLimit: RateLimitOptions = {
  requests: 1e9,
  periodMs: 1000,
  burst: 1e9,
  whenEmpty: 'wait',
  maxWaitMs: 0,
};
const pauseCapMs = 60_000;

/** Metrics and health, as every connection has them. */
function observed(): PolicyListener {
  const meter = new Metrics().connection('bench', 'bench', 'holdfast-bench-connection');
  const health = createHealthBoard(systemClock).track({
    id: 'bench',
    name: 'bench',
    type: 'holdfast-bench-connection',
    simulated: false,
  });
  return {
    attempt: (n) => meter.attempt(n),
    success: (ms, now) => {
      meter.success(ms);
      health.success(ms, now);
    },
  };
}

async function nothing(): Promise<number> {
  return 1;
}

function options(scope: Scope, timeoutMs: number): CallOptions {
  const retry = { strategy: 'exponential', attempts: 3, baseMs: 100, maxMs: 10_000 } as const;
  return { effect: 'safe', timeoutMs, retry, scope, key: 'k' };
}

/** Nanoseconds a call through this pipeline. */
function through(
  shared: SharedPolicies,
  wheel: TimerWheel,
  timeoutMs: number,
  listener?: PolicyListener,
): Case {
  const deps = { clock: systemClock, random: Math.random, wheel, ...(listener && { listener }) };
  const pipeline = new Pipeline(deps, shared);
  const call = options(new Scope(), timeoutMs);
  return () => perCall(() => pipeline.run(nothing, call));
}

async function perCall(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < CALLS; i += 1) await call();
  return ((performance.now() - start) * 1e6) / CALLS;
}

async function run(report: Report): Promise<void> {
  const wheel = new TimerWheel(systemClock);
  const bulkhead = { concurrency: 10, queue: 100 };
  const medians = await interleave(
    {
      bare: () => perCall(nothing),
      none: through({ pauseCapMs }, wheel, 0),
      three: through({ breaker, pauseCapMs }, wheel, 30_000),
      all: through({ breaker, rateLimit, bulkhead, pauseCapMs }, wheel, 30_000, observed()),
    },
    ROUNDS,
  );
  wheel.close();
  const state = (name: string, ours: number, most: number): void =>
    report.figure({
      name,
      ours,
      reference: medians.bare,
      unit: 'ns',
      target: `at most ${most} ns above a bare await`,
      ok: ours - medians.bare <= most,
    });
  state('pipeline without policies', medians.none, 500);
  state('pipeline: retry, breaker, timeout', medians.three, 500);
  state('pipeline: and rate limit, bulkhead, metrics', medians.all, 900);
}

export const suite: BenchSuite = { name: 'pipeline', run };
