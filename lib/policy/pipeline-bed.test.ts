// Holds no tests: it is named like one so that the build leaves it out.
import assert from 'node:assert/strict';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { Scope, type Failure } from '../core';
import type { PolicyListener } from './events';
import { Pipeline, type CallOptions, type SharedPolicies } from './pipeline';
import { TimerWheel } from './wheel';

/** What the pipeline's tests share: a pipeline on a virtual clock whose events are written down. */
export interface Bed {
  readonly clock: VirtualClock;
  readonly wheel: TimerWheel;
  readonly scope: Scope;
  readonly pipeline: Pipeline;
  /** `name fact fact` each. */
  readonly events: string[];
  options(overrides?: Partial<CallOptions>): CallOptions;
}

export const breaker = {
  mode: 'consecutive',
  failures: 3,
  rate: 0.5,
  windowMs: 10_000,
  minimumCalls: 4,
  openMs: 5000,
  probes: 1,
  probeTimeoutMs: 1000,
} as const;
export const rateLimit = { requests: 1, periodMs: 1000, burst: 1, whenEmpty: 'wait', maxWaitMs: 0 } as const;
export const fixed = { strategy: 'fixed', attempts: 3, baseMs: 100, maxMs: 1000 } as const;

export function createBed(shared: Partial<SharedPolicies> = {}, random: () => number = () => 0.5): Bed {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const events: string[] = [];
  const scope = new Scope();
  const deps = { clock, random, wheel, listener: recorder(events), name: '"Press"' };
  return {
    clock,
    wheel,
    scope,
    events,
    pipeline: new Pipeline(deps, { pauseCapMs: 60_000, ...shared }),
    options: (overrides = {}) => ({
      effect: 'safe',
      timeoutMs: 1000,
      retry: fixed,
      scope,
      key: 'key',
      ...overrides,
    }),
  };
}

function recorder(events: string[]): PolicyListener {
  return {
    attempt: (n) => events.push(`attempt ${n}`),
    success: () => events.push('success'),
    failure: (f: Failure, willRetry) => events.push(`failure ${f.code} ${willRetry}`),
    retry: (ms, attempt) => events.push(`retry ${ms} ${attempt}`),
    timeout: () => events.push('timeout'),
    breaker: (state) => events.push(`breaker ${state}`),
    rateLimited: (ms) => events.push(`rateLimited ${ms}`),
    bulkheadFull: () => events.push('bulkheadFull'),
    paused: (ms) => events.push(`paused ${ms}`),
    cache: (hit) => events.push(`cache ${hit}`),
  };
}

/** A call that ignores its scope and never settles, as a bad client does. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/** Nothing of any call is left: no listener, timeout, place or clock timer of ours. */
export function assertClean(bed: Bed): void {
  assert.equal(bed.scope.listenerCount, 0, 'listeners on the scope');
  assert.equal(bed.wheel.size, 0, 'wheel entries');
  assert.equal(bed.pipeline.runs.size, 0, 'calls under way');
  assert.equal(bed.pipeline.bulkhead?.running ?? 0, 0, 'places taken');
  assert.equal(bed.pipeline.bulkhead?.waiting ?? 0, 0, 'calls in line');
  bed.wheel.close();
  bed.pipeline.breaker?.close();
  assert.equal(bed.clock.pending, 0, 'clock timers');
}
