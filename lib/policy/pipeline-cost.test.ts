import assert from 'node:assert/strict';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { Scope, type Clock } from '../core';
import { breaker, fixed, rateLimit } from './pipeline-bed.test';
import { Pipeline } from './pipeline';
import { TimerWheel } from './wheel';

describe('policy: what a call costs', () => {
  it('one reading of the clock, and one more where somebody asks how long it took', async () => {
    const readings = [
      [undefined, 1],
      [{ success: () => {} }, 2],
    ] as const;
    for (const [listener, expected] of readings) {
      const clock = new VirtualClock();
      let count = 0;
      const counting: Clock = {
        now: () => assert.fail('the wall clock has no business here'),
        mono: () => ((count += 1), clock.mono()),
        timer: (ms, fn) => clock.timer(ms, fn),
      };
      const wheel = new TimerWheel(counting);
      const deps = { clock: counting, random: () => 0, wheel, ...(listener && { listener }) };
      const bulkhead = { concurrency: 1, queue: 1 };
      const pipeline = new Pipeline(deps, { breaker, rateLimit, bulkhead, pauseCapMs: 1000 });
      const before = count;
      const scope = new Scope();
      const call = { effect: 'safe', timeoutMs: 1000, retry: fixed, scope, key: 'k' } as const;
      await pipeline.run(() => Promise.resolve(1), call);
      assert.equal(count - before, expected);
      pipeline.close();
      wheel.close();
    }
  });

  it('one clock timer for a thousand calls with timeouts', async () => {
    const clock = new VirtualClock();
    let timers = 0;
    const counting: Clock = {
      now: clock.now,
      mono: clock.mono,
      timer: (ms, fn) => ((timers += 1), clock.timer(ms, fn)),
    };
    const wheel = new TimerWheel(counting);
    const pipeline = new Pipeline({ clock: counting, random: () => 0, wheel }, { breaker, pauseCapMs: 1000 });
    const call = { effect: 'safe', timeoutMs: 1000, retry: fixed, scope: new Scope(), key: 'k' } as const;
    for (let i = 0; i < 1000; i += 1) {
      await pipeline.run(() => {
        assert.ok(wheel.size > 0, 'the timeout is set');
        return Promise.resolve(i);
      }, call);
    }
    assert.equal(timers, 1);
    assert.equal(wheel.size, 0);
    pipeline.close();
    wheel.close();
  });
});
