import assert from 'node:assert/strict';
import fc from 'fast-check';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { Scope, cancelled } from '../core';
import { sleep } from './sleep';
import { TimerWheel } from './wheel';

describe('policy: timer wheel and sleep', () => {
  it('runs an entry not before its time and at most one tick late', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ wait: fc.integer({ min: 0, max: 400 }), ms: fc.integer({ min: 0, max: 60_000 }) }),
          {
            minLength: 1,
            maxLength: 8,
          },
        ),
        async (entries) => {
          const clock = new VirtualClock();
          const wheel = new TimerWheel(clock, 10);
          const late: number[] = [];
          for (const { wait, ms } of entries) {
            await clock.advance(wait);
            const due = clock.mono() + ms;
            wheel.add(ms, () => late.push(clock.mono() - due));
          }
          await clock.advance(60_020);
          assert.equal(late.length, entries.length);
          assert.ok(
            late.every((by) => by >= 0 && by <= 10),
            String(late),
          );
          assert.equal(wheel.size, 0);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('sets one clock timer for all entries and none when it is closed', () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    for (let ms = 5000; ms > 0; ms -= 7) wheel.add(ms, () => {});
    assert.equal(clock.pending, 1);
    wheel.close();
    assert.equal(clock.pending, 0);
    assert.equal(wheel.size, 0);
  });

  it('does not run what was cancelled, even by an entry due at the same time', async () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    const ran: string[] = [];
    const entries = ['a', 'b'].map((name) =>
      wheel.add(50, () => {
        ran.push(name);
        for (const entry of entries) entry.cancel();
      }),
    );
    const third = wheel.add(50, () => ran.push('c'));
    third.cancel();
    third.cancel();
    assert.equal(wheel.size, 2);
    await clock.advance(100);
    assert.equal(ran.length, 1);
    assert.equal(wheel.size, 0);
  });

  it('runs what is due and what comes later although one entry throws', async () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    const ran: string[] = [];
    wheel.add(50, () => {
      throw new Error('bad entry');
    });
    wheel.add(50, () => ran.push('due'));
    wheel.add(500, () => ran.push('later'));
    await assert.rejects(clock.advance(100), /bad entry/);
    await clock.advance(1000);
    assert.deepEqual(ran, ['due', 'later']);
  });

  it('does not run an entry early that was added while the event loop was blocked', async () => {
    const clock = new VirtualClock();
    let blocked = 0;
    const slow = { now: clock.now, mono: () => clock.mono() + blocked, timer: clock.timer };
    const wheel = new TimerWheel(slow);
    let ran = 0;
    wheel.add(1000, () => (ran += 1));
    blocked = 5000;
    wheel.add(1000, () => (ran += 10));
    await clock.advance(999);
    assert.equal(ran, 0);
    await clock.advance(1);
    assert.equal(ran, 11, 'both fall due at 6000');
  });

  it('lets no clock timer run on when nothing waits', async () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    wheel.add(100, () => {}).cancel();
    await clock.advance(100);
    assert.equal(clock.pending, 0);
  });

  it('sleeps, and wakes at once with the reason when the scope ends', async () => {
    const clock = new VirtualClock();
    const scope = new Scope();
    let slept = false;
    const first = sleep(clock, 100, scope).then(() => (slept = true));
    await clock.advance(99);
    assert.equal(slept, false);
    await clock.advance(1);
    await first;
    assert.equal(scope.listenerCount, 0);
    const second = sleep(clock, 100, scope);
    const reason = cancelled('stop');
    scope.abort(reason);
    await assert.rejects(second, reason);
    await assert.rejects(sleep(clock, 1, scope), reason);
    assert.equal(clock.pending, 0);
  });
});
