import assert from 'node:assert/strict';
import fc from 'fast-check';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { Failure, type FailureKind } from '../core';
import { Breaker, verdict, type BreakerOptions } from './breaker';

const base: BreakerOptions = {
  mode: 'consecutive',
  failures: 3,
  rate: 0.5,
  windowMs: 10_000,
  minimumCalls: 4,
  openMs: 5000,
  probes: 2,
  probeTimeoutMs: 1000,
};

function setUp(options: Partial<BreakerOptions> = {}): {
  clock: VirtualClock;
  breaker: Breaker;
  states: string[];
} {
  const clock = new VirtualClock();
  const breaker = new Breaker({ ...base, ...options }, clock);
  const states: string[] = [];
  breaker.onState((state) => states.push(state));
  return { clock, breaker, states };
}

function call(clock: VirtualClock, breaker: Breaker, ok: boolean): boolean {
  const permit = breaker.enter(clock.mono());
  if (permit === 0) return false;
  if (ok) breaker.succeed(permit, clock.mono());
  else breaker.fail(permit, clock.mono());
  return true;
}

function trip(clock: VirtualClock, breaker: Breaker): void {
  while (call(clock, breaker, false));
}

describe('policy: circuit breaker', () => {
  it('opens after failures in a row only, and refuses while open', async () => {
    const { clock, breaker, states } = setUp();
    for (const ok of [false, false, true, false, false]) call(clock, breaker, ok);
    assert.equal(breaker.state, 'closed');
    call(clock, breaker, false);
    assert.equal(breaker.state, 'open');
    await clock.advance(4999);
    assert.equal(call(clock, breaker, true), false);
    assert.equal(breaker.remainingMs, 1);
    assert.deepEqual(states, ['open']);
  });

  it('opens on the failure rate of the window once it has seen enough calls', async () => {
    const { clock, breaker } = setUp({ mode: 'rate' });
    for (const ok of [false, false, false]) call(clock, breaker, ok);
    assert.equal(breaker.state, 'closed', 'too few calls');
    await clock.advance(11_000);
    for (const ok of [true, true, true, false, false]) call(clock, breaker, ok);
    assert.equal(breaker.state, 'closed', '2 of 5; the old ones have left the window');
    call(clock, breaker, false);
    assert.equal(breaker.state, 'open');
  });

  it('forgets the failures of before it opened once it has closed again', async () => {
    const { clock, breaker, states } = setUp({ mode: 'rate', windowMs: 60_000, probes: 1 });
    trip(clock, breaker);
    await clock.advance(5000);
    call(clock, breaker, true);
    assert.equal(breaker.state, 'closed');
    for (const ok of [true, true, false, true]) call(clock, breaker, ok);
    assert.deepEqual(states, ['open', 'half-open', 'closed'], 'one failure of four');
  });

  it('shows half-open by itself when the time is over, without any call', async () => {
    const { clock, breaker, states } = setUp();
    trip(clock, breaker);
    await clock.advance(5000);
    assert.deepEqual(states, ['open', 'half-open']);
    assert.equal(clock.pending, 0);
  });

  it('lets only the configured probes through and closes when all succeed', async () => {
    const { clock, breaker, states } = setUp();
    trip(clock, breaker);
    await clock.advance(5000);
    const permits = [1, 2, 3].map(() => breaker.enter(clock.mono()));
    assert.equal(permits[2], 0);
    breaker.succeed(permits[0] ?? 0, clock.mono());
    assert.equal(breaker.state, 'half-open');
    assert.equal(breaker.enter(clock.mono()), 0, 'one succeeded and one runs: enough');
    breaker.succeed(permits[1] ?? 0, clock.mono());
    assert.deepEqual(states, ['open', 'half-open', 'closed']);
  });

  it('opens again when a probe fails', async () => {
    const { clock, breaker, states } = setUp();
    trip(clock, breaker);
    await clock.advance(5000);
    call(clock, breaker, true);
    call(clock, breaker, false);
    assert.deepEqual(states, ['open', 'half-open', 'open']);
    assert.equal(breaker.remainingMs, 5000);
  });

  it('gives the place of a probe that never ends, or was cancelled, to another call', async () => {
    const { clock, breaker } = setUp({ probes: 1 });
    trip(clock, breaker);
    await clock.advance(5000);
    assert.ok(breaker.enter(clock.mono()) > 0);
    await clock.advance(999);
    assert.equal(breaker.enter(clock.mono()), 0);
    await clock.advance(1);
    const second = breaker.enter(clock.mono());
    assert.ok(second > 0);
    breaker.ignore(second);
    call(clock, breaker, true);
    assert.equal(breaker.state, 'closed');
  });

  it('ignores the outcome of calls that started in an earlier state', async () => {
    const { clock, breaker } = setUp({ probes: 1 });
    const old = breaker.enter(clock.mono());
    trip(clock, breaker);
    breaker.succeed(old, clock.mono());
    assert.equal(breaker.state, 'open');
    await clock.advance(5000);
    breaker.succeed(old, clock.mono());
    assert.equal(breaker.state, 'half-open');
    breaker.fail(old, clock.mono());
    assert.equal(breaker.state, 'half-open');
  });

  it('is the same after a restart, whatever the clocks did meanwhile', async () => {
    const { clock, breaker } = setUp();
    trip(clock, breaker);
    await clock.advance(2000);
    const record: unknown = JSON.parse(JSON.stringify(breaker.exportState()));
    const next = setUp();
    await next.clock.advance(123_456);
    next.clock.jump(-86_400_000);
    next.breaker.restoreState(record);
    assert.equal(next.breaker.state, 'open');
    assert.equal(next.breaker.remainingMs, 3000);
    await next.clock.advance(3000);
    assert.equal(next.breaker.state, 'half-open');
    const third = setUp();
    third.breaker.restoreState(next.breaker.exportState());
    assert.equal(third.breaker.state, 'half-open');
  });

  it('keeps its failure counts over a restart', async () => {
    const consecutive = setUp();
    call(consecutive.clock, consecutive.breaker, false);
    call(consecutive.clock, consecutive.breaker, false);
    const next = setUp();
    next.breaker.restoreState(consecutive.breaker.exportState());
    call(next.clock, next.breaker, false);
    assert.equal(next.breaker.state, 'open');

    const rate = setUp({ mode: 'rate' });
    for (const ok of [true, false]) call(rate.clock, rate.breaker, ok);
    await rate.clock.advance(6000);
    call(rate.clock, rate.breaker, true);
    const other = setUp({ mode: 'rate' });
    await other.clock.advance(50_000);
    other.breaker.restoreState(JSON.parse(JSON.stringify(rate.breaker.exportState())));
    call(other.clock, other.breaker, false);
    assert.equal(other.breaker.state, 'open', '2 of 4');
    const later = setUp({ mode: 'rate' });
    await later.clock.advance(50_000);
    later.breaker.restoreState(rate.breaker.exportState());
    await later.clock.advance(5000);
    call(later.clock, later.breaker, false);
    assert.equal(later.breaker.state, 'closed', 'the older two have left the window');
  });

  it('survives any record and stays within its own limits', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.record({
            state: fc.constantFrom('open', 'closed', 'half-open', 'x'),
            remainingMs: fc.anything(),
            failures: fc.anything(),
            window: fc.oneof(fc.anything(), fc.array(fc.array(fc.double()))),
          }),
        ),
        fc.constantFrom<BreakerOptions['mode']>('consecutive', 'rate'),
        (record, mode) => {
          const { clock, breaker } = setUp({ mode });
          breaker.restoreState(record);
          assert.ok(['closed', 'open', 'half-open'].includes(breaker.state));
          assert.ok(breaker.remainingMs >= 0 && breaker.remainingMs <= base.openMs);
          call(clock, breaker, true);
          breaker.close();
          assert.equal(clock.pending, 0);
        },
      ),
    );
  });

  it('never runs more probes than configured and never stays half-open', async () => {
    const action = fc.oneof(
      fc.record({ type: fc.constant('enter' as const) }),
      fc.record({
        type: fc.constantFrom('succeed' as const, 'fail' as const, 'ignore' as const),
        which: fc.nat(9),
      }),
      fc.record({ type: fc.constant('wait' as const), ms: fc.nat(2000) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        async (actions, probes) => {
          const { clock, breaker } = setUp({ probes });
          const running: { permit: number; at: number; probe: boolean }[] = [];
          for (const step of actions) {
            if (step.type === 'wait') await clock.advance(step.ms);
            else if (step.type === 'enter') {
              const permit = breaker.enter(clock.mono());
              if (permit > 0)
                running.push({ permit, at: clock.mono(), probe: breaker.state === 'half-open' });
            } else {
              const [ended] = running.splice(step.which % Math.max(1, running.length), 1);
              if (!ended) continue;
              if (step.type === 'ignore') breaker.ignore(ended.permit);
              else breaker[step.type](ended.permit, clock.mono());
            }
            const live = running.filter((each) => each.probe && clock.mono() < each.at + base.probeTimeoutMs);
            if (breaker.state === 'half-open') assert.ok(live.length <= probes, `${live.length} probes`);
          }
          await clock.advance(base.openMs + base.probeTimeoutMs);
          for (let i = 0; i < probes; i += 1) assert.ok(call(clock, breaker, true), 'a call is let through');
          assert.equal(breaker.state, 'closed');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is not moved by jumps of the wall clock', async () => {
    for (const jump of [86_400_000, -86_400_000, 3_600_000, -Date.UTC(2026, 0, 1)]) {
      const { clock, breaker } = setUp();
      trip(clock, breaker);
      clock.jump(jump);
      await clock.advance(4999);
      assert.equal(call(clock, breaker, true), false);
      await clock.advance(1);
      assert.equal(call(clock, breaker, true), true);
    }
  });

  it('counts what tells about the peer, and nothing else', () => {
    const of = (kind: FailureKind, code = 'X', reached = true): string =>
      verdict(new Failure(kind, code, 'x', { reached }));
    assert.equal(of('transient'), 'failure');
    assert.equal(of('transient', 'CALL_TIMEOUT'), 'failure');
    assert.equal(of('disconnected', 'CONNECTION_LOST'), 'failure');
    assert.equal(verdict(new Failure('transient', 'X', 'x', { partial: true })), 'nothing');
    for (const kind of ['rejected', 'auth', 'throttled'] as const) assert.equal(of(kind), 'success');
    assert.equal(of('rejected', 'BAD_MESSAGE', false), 'nothing');
    for (const kind of ['cancelled', 'config', 'unclassified'] as const) assert.equal(of(kind), 'nothing');
    for (const code of ['CIRCUIT_OPEN', 'RATE_LIMITED', 'BULKHEAD_FULL', 'NOT_CONNECTED'])
      assert.equal(of('transient', code), 'nothing');
  });
});
