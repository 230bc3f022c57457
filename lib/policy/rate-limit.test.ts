import assert from 'node:assert/strict';
import fc from 'fast-check';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import type { Clock } from '../core';
import { RateLimit, type RateLimitOptions } from './rate-limit';

const base: RateLimitOptions = { requests: 10, periodMs: 1000, burst: 3, whenEmpty: 'wait', maxWaitMs: 0 };

function setUp(options: Partial<RateLimitOptions> = {}): { clock: VirtualClock; limit: RateLimit } {
  const clock = new VirtualClock();
  return { clock, limit: new RateLimit({ ...base, ...options }, clock) };
}

function drain(clock: VirtualClock, limit: RateLimit): number {
  let taken = 0;
  while (limit.tryTake(clock.mono())) taken += 1;
  return taken;
}

describe('policy: rate limit', () => {
  it('lets a burst through, then the average', async () => {
    const { clock, limit } = setUp();
    assert.equal(drain(clock, limit), 3);
    await clock.advance(99);
    assert.equal(drain(clock, limit), 0);
    await clock.advance(1);
    assert.equal(drain(clock, limit), 1);
    await clock.advance(60_000);
    assert.equal(drain(clock, limit), 3, 'a quiet minute saves no more than the burst');
  });

  it('serves those who wait in the order of arrival, and nobody overtakes them', async () => {
    const { clock, limit } = setUp();
    drain(clock, limit);
    const served: string[] = [];
    for (const name of ['a', 'b']) limit.wait(clock.mono(), () => served.push(`${name} ${clock.mono()}`));
    await clock.advance(100);
    assert.equal(limit.tryTake(clock.mono()), false);
    await clock.advance(100);
    assert.deepEqual(served, ['a 100', 'b 200']);
    assert.equal(clock.pending, 0);
  });

  it('lets nobody overtake the line when the timer is late', () => {
    const clock = new VirtualClock();
    let blocked = 0;
    const limit = new RateLimit(base, {
      now: clock.now,
      mono: () => clock.mono() + blocked,
      timer: clock.timer,
    });
    drain(clock, limit);
    limit.wait(0, () => {});
    blocked = 5000;
    assert.equal(limit.tryTake(5000), false);
  });

  it('rejects when told to, or when the wait would be too long', () => {
    const { clock, limit } = setUp({ whenEmpty: 'reject' });
    drain(clock, limit);
    assert.equal(
      limit.wait(clock.mono(), () => {}),
      undefined,
    );
    const bounded = setUp({ maxWaitMs: 250 });
    drain(bounded.clock, bounded.limit);
    const waits = [1, 2, 3].map(() => bounded.limit.wait(bounded.clock.mono(), () => {}));
    assert.deepEqual(
      waits.map((cancel) => cancel !== undefined),
      [true, true, false],
    );
  });

  it('leaves no timer behind when the last one in line leaves', () => {
    const { clock, limit } = setUp();
    drain(clock, limit);
    limit.wait(clock.mono(), () => {})?.();
    assert.equal(clock.pending, 0);
    assert.equal(limit.waiting, 0);
  });

  it('passes on the token of a call that left between the grant and its turn', async () => {
    const clock = new VirtualClock();
    const leave: { first?: (() => void) | undefined } = {};
    const timer: Clock['timer'] = (ms, fn) =>
      clock.timer(ms, () => {
        fn();
        leave.first?.();
      });
    const limit = new RateLimit(base, { now: clock.now, mono: clock.mono, timer });
    drain(clock, limit);
    const served: string[] = [];
    leave.first = limit.wait(clock.mono(), () => served.push('a'));
    limit.wait(clock.mono(), () => served.push(`b ${clock.mono()}`));
    await clock.advance(300);
    assert.deepEqual(served, ['b 100']);
  });

  it('never holds more than its burst nor serves more than burst plus average', async () => {
    const action = fc.record({
      type: fc.constantFrom('take', 'take', 'wait', 'cancel', 'time', 'jump'),
      n: fc.nat(500),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          requests: fc.integer({ min: 1, max: 50 }),
          periodMs: fc.constantFrom(100, 1000, 7777),
          burst: fc.integer({ min: 1, max: 5 }),
        }),
        fc.array(action, { maxLength: 40 }),
        async (options, actions) => {
          const { clock, limit } = setUp(options);
          let served = 0;
          const cancels: (() => void)[] = [];
          for (const { type, n } of actions) {
            if (type === 'take' && limit.tryTake(clock.mono())) served += 1;
            if (type === 'wait') {
              const cancel = limit.wait(clock.mono(), () => (served += 1));
              if (cancel) cancels.push(cancel);
            }
            if (type === 'cancel') cancels.splice(n % Math.max(1, cancels.length), 1)[0]?.();
            if (type === 'time') await clock.advance(n);
            if (type === 'jump') clock.jump((n - 250) * 1e6);
            assert.ok(limit.tokens >= 0 && limit.tokens <= options.burst);
            const most = options.burst + (clock.mono() * options.requests) / options.periodMs;
            assert.ok(served <= most + 1e-6, `${served} served, ${most} allowed`);
          }
          await clock.advance(1_000_000);
          assert.equal(limit.waiting, 0, 'everyone who stayed was served');
          assert.equal(clock.pending, 0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
