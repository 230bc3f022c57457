import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FAILURE_KINDS, Failure, type Effect } from '../core';
import { backoff, delay, mayRetry, type RetryOptions } from './retry';

const options = (strategy: RetryOptions['strategy'], baseMs = 100, maxMs = 1000): RetryOptions => ({
  strategy,
  attempts: 5,
  baseMs,
  maxMs,
});

describe('policy: retry', () => {
  it('waits as its strategy says and never longer than the maximum', () => {
    const waits = (strategy: RetryOptions['strategy']): number[] =>
      [1, 2, 3, 4, 5, 2000].map((attempt) => delay(attempt, options(strategy), () => 0.999_999_999));
    assert.deepEqual(waits('fixed'), [100, 100, 100, 100, 100, 100]);
    assert.deepEqual(waits('linear'), [100, 200, 300, 400, 500, 1000]);
    assert.deepEqual(waits('exponential').map(Math.round), [100, 200, 400, 800, 1000, 1000]);
    assert.deepEqual(waits('none'), [0, 0, 0, 0, 0, 0]);
    assert.equal(
      delay(5000, options('exponential', 0), () => 0.5),
      0,
    );
  });

  it('spreads exponential waits over the whole range below the bound', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 0, max: 1e9 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, baseMs, maxMs, random) => {
          const chosen = options('exponential', baseMs, maxMs);
          const ms = delay(attempt, chosen, () => random);
          assert.ok(ms >= 0 && ms <= maxMs && ms <= backoff(attempt, chosen));
          assert.equal(ms, random * backoff(attempt, chosen));
        },
      ),
    );
  });

  it('repeats by kind and effect only', () => {
    const allowed = FAILURE_KINDS.flatMap((kind) =>
      (['safe', 'idempotent', 'once'] as Effect[]).flatMap((effect) =>
        [true, false]
          .filter((reached) => mayRetry(new Failure(kind, 'X', 'x', { reached }), effect))
          .map((reached) => `${kind} ${effect} ${reached ? 'reached' : 'not reached'}`),
      ),
    );
    assert.deepEqual(allowed, [
      ...['transient', 'disconnected'].flatMap((kind) => [
        `${kind} safe reached`,
        `${kind} safe not reached`,
        `${kind} idempotent reached`,
        `${kind} idempotent not reached`,
        `${kind} once not reached`,
      ]),
      ...['safe', 'idempotent', 'once'].flatMap((effect) => [
        `throttled ${effect} reached`,
        `throttled ${effect} not reached`,
      ]),
    ]);
    assert.equal(mayRetry(new Failure('transient', 'OUTCOME_UNKNOWN', 'x'), 'safe'), false);
  });
});
