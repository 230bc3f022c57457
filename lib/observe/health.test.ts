import assert from 'node:assert/strict';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { Failure, silentLog, type FailureKind } from '../core';
import { createHealthBoard, type HealthTracker, type TrackingHealthBoard } from './health';
import type { HealthReport } from './types';

const INFO = { id: 'c1', name: 'Press 4', type: 'holdfast-modbus-connection', simulated: false };
const failure = (kind: FailureKind, message = `${kind}.`): Failure =>
  new Failure(kind, 'PEER_ERROR', message);

interface Setup {
  readonly clock: VirtualClock;
  readonly board: TrackingHealthBoard;
  readonly tracker: HealthTracker;
  readonly changes: HealthReport[];
}
function setup(): Setup {
  const clock = new VirtualClock();
  const board = createHealthBoard(clock);
  const changes: HealthReport[] = [];
  board.onChange((report) => changes.push(report));
  return { clock, board, tracker: board.track(INFO), changes };
}
const states = (changes: readonly HealthReport[]): string[] => changes.map(({ state }) => state);

describe('observe: health', () => {
  it('knows nothing at first', () => {
    const { board } = setup();
    assert.deepEqual(board.reports(), [
      {
        ...INFO,
        state: 'unknown',
        since: '2026-01-01T00:00:00.000Z',
        reason: 'Nothing is known yet: no call was made.',
        lastSuccess: null,
        lastError: null,
        breaker: 'closed',
        calls: 0,
        errors: 0,
        latencyMs: null,
      },
    ]);
  });

  it('is healthy after a success, and tells it once', async () => {
    const { clock, tracker, changes } = setup();
    await clock.advance(5_000);
    for (let i = 0; i < 10; i += 1) tracker.success(i);
    assert.deepEqual(states(changes), ['healthy']);
    const report = tracker.report();
    assert.equal(report.since, '2026-01-01T00:00:05.000Z');
    assert.equal(report.lastSuccess, '2026-01-01T00:00:05.000Z');
    assert.deepEqual([report.calls, report.errors, report.latencyMs], [10, 0, 4.5]);
  });

  for (const kind of ['disconnected', 'auth', 'config'] as const) {
    it(`is unhealthy at once when a call ends as ${kind}, until something succeeds`, () => {
      const { tracker, changes } = setup();
      tracker.success(1);
      tracker.failure(failure(kind));
      tracker.failure(failure('transient'));
      assert.equal(tracker.report().reason, `${kind}.`);
      tracker.success(1);
      assert.deepEqual(states(changes), ['healthy', 'unhealthy', 'healthy']);
    });
  }

  for (const kind of ['transient', 'unclassified'] as const) {
    it(`is degraded by one ${kind} failure and unhealthy by five in a row`, () => {
      const { tracker, changes } = setup();
      for (let i = 0; i < 4; i += 1) tracker.failure(failure(kind));
      tracker.success(1);
      for (let i = 0; i < 5; i += 1) tracker.failure(failure(kind));
      assert.deepEqual(states(changes), ['degraded', 'healthy', 'degraded', 'unhealthy']);
    });
  }

  it('is not held down by old failures once the connection was opened anew', () => {
    const { tracker } = setup();
    for (let i = 0; i < 6; i += 1) tracker.failure(failure('transient'));
    assert.equal(tracker.report().state, 'unhealthy');
    tracker.state('unknown', 'Opened.');
    assert.equal(tracker.report().state, 'unknown');
  });

  it('is only degraded by a peer that throttles, and not touched by rejected and cancelled calls', async () => {
    const { clock, tracker, changes } = setup();
    for (let i = 0; i < 20; i += 1) tracker.failure(failure('throttled'));
    assert.deepEqual(states(changes), ['degraded']);
    await clock.advance(60_000);
    tracker.success(1);
    for (let i = 0; i < 50; i += 1) tracker.failure(failure('rejected'));
    for (let i = 0; i < 50; i += 1) tracker.failure(failure('cancelled'));
    assert.deepEqual(states(changes), ['degraded', 'healthy']);
    const { calls, errors, lastError } = tracker.report();
    assert.deepEqual([calls, errors, lastError?.kind], [51, 50, 'rejected']);
  });

  it('is degraded, however often, by failures that concern only a part of the peer', () => {
    const { tracker, changes } = setup();
    const silent = new Failure('transient', 'UNIT_SILENT', 'Unit 2 does not answer.', { partial: true });
    for (let i = 0; i < 20; i += 1) tracker.failure(silent);
    assert.deepEqual(states(changes), ['degraded']);
    assert.equal(tracker.report().reason, 'Unit 2 does not answer.');
  });

  it('follows the breaker', () => {
    const { tracker, changes } = setup();
    tracker.success(1);
    tracker.failure(failure('transient', 'No answer.'));
    tracker.breaker('open');
    assert.equal(tracker.report().reason, 'The circuit breaker is open. Last failure: No answer.');
    tracker.breaker('half-open');
    tracker.success(1);
    assert.match(tracker.report().reason, /half-open/);
    tracker.breaker('closed');
    assert.deepEqual(states(changes), [
      'healthy',
      'degraded',
      'unhealthy',
      'degraded',
      'degraded',
      'healthy',
    ]);
  });

  it('learns nothing from calls that our own policies held back', () => {
    const { tracker, changes } = setup();
    const held = (code: string, kind: FailureKind = 'transient'): void => {
      for (let i = 0; i < 20; i += 1) tracker.failure(new Failure(kind, code, `${code}.`));
    };
    tracker.success(1);
    held('RATE_LIMITED', 'throttled');
    held('BULKHEAD_FULL');
    tracker.failure(failure('disconnected', 'Refused.'));
    held('NOT_CONNECTED', 'disconnected');
    tracker.breaker('open');
    held('CIRCUIT_OPEN');
    assert.deepEqual(states(changes), ['healthy', 'unhealthy']);
    const { reason, lastError, errors } = tracker.report();
    assert.deepEqual([reason, lastError?.message, errors], ['Refused.', 'Refused.', 81]);
    const fresh = setup();
    fresh.tracker.failure(new Failure('disconnected', 'NOT_CONNECTED', 'No session.'));
    assert.equal(fresh.tracker.report().state, 'unhealthy');
  });

  it('is degraded while too many calls of the last minute failed', async () => {
    const { clock, tracker, changes } = setup();
    for (let i = 0; i < 8; i += 1) tracker.success(1);
    for (let i = 0; i < 2; i += 1) tracker.failure(failure('transient'));
    tracker.success(1);
    tracker.success(1);
    // 2 of 12 calls are below a fifth, 3 of 13 above.
    assert.equal(tracker.report().state, 'healthy');
    tracker.failure(failure('transient'));
    tracker.success(1);
    assert.equal(tracker.report().reason, 'Many calls of the last minute failed.');
    await clock.advance(59_000);
    assert.equal(tracker.report().state, 'degraded');
    await clock.advance(1_000);
    assert.equal(tracker.report().state, 'healthy', 'the failures have left the window');
    assert.deepEqual(tracker.report().calls, 0);
    assert.equal(states(changes).at(-1), 'healthy');
  });

  it('forgets each second after a minute, whatever the wall clock does', async () => {
    const { clock, tracker } = setup();
    tracker.success(10);
    await clock.advance(30_000);
    clock.jump(-86_400_000);
    tracker.success(20);
    assert.equal(tracker.report().latencyMs, 15);
    await clock.advance(30_000);
    assert.deepEqual([tracker.report().calls, tracker.report().latencyMs], [1, 20]);
    await clock.advance(3_600_000);
    assert.deepEqual([tracker.report().calls, tracker.report().latencyMs], [0, null]);
  });

  it('is at best degraded while a warning stands', () => {
    const { tracker, changes } = setup();
    tracker.warning('The certificate is not checked.');
    assert.deepEqual(changes, []);
    tracker.success(1);
    tracker.success(1);
    assert.equal(tracker.report().reason, 'The certificate is not checked.');
    tracker.failure(failure('disconnected'));
    tracker.success(1);
    tracker.warning(undefined);
    assert.deepEqual(states(changes), ['degraded', 'unhealthy', 'degraded', 'healthy']);
  });

  it('takes what the life cycle says until the next event', () => {
    const { tracker, changes } = setup();
    tracker.state('unknown', 'Connecting.');
    tracker.state('unhealthy', 'Cannot connect.');
    tracker.state('unhealthy', 'Cannot connect.');
    tracker.state('healthy', 'Connected.');
    tracker.success(1);
    assert.deepEqual(
      changes.map(({ state, reason }) => [state, reason]),
      [
        ['unknown', 'Connecting.'],
        ['unhealthy', 'Cannot connect.'],
        ['healthy', 'Connected.'],
        ['healthy', 'The last call succeeded.'],
      ],
    );
  });

  it('keeps "since" while only the reason changes', async () => {
    const { clock, tracker } = setup();
    tracker.state('unhealthy', 'a');
    await clock.advance(1000);
    tracker.state('unhealthy', 'b');
    assert.deepEqual([tracker.report().since, tracker.report().reason], ['2026-01-01T00:00:00.000Z', 'b']);
  });

  it('survives a listener that throws, and lets listeners and connections go', () => {
    const lines: string[] = [];
    const board = createHealthBoard(new VirtualClock(), { ...silentLog, error: (text) => lines.push(text) });
    const seen: string[] = [];
    const offBad = board.onChange(() => {
      throw new Error('bad listener');
    });
    const off = board.onChange(({ state }) => seen.push(state));
    const tracker = board.track(INFO);
    tracker.success(1);
    assert.equal(lines.length, 1);
    offBad();
    tracker.failure(failure('auth'));
    off();
    tracker.success(1);
    assert.deepEqual(seen, ['healthy', 'unhealthy']);
    const next = board.track(INFO);
    tracker.remove();
    assert.equal(board.reports().length, 1, 'the old tracker does not remove its successor');
    next.remove();
    next.success(1);
    assert.deepEqual(board.reports(), []);
  });

  it('reads no clock for a success whose time is known, and tells its wall time all the same', async () => {
    const clock = new VirtualClock();
    let reads = 0;
    const tracker = createHealthBoard({
      now: () => ((reads += 1), clock.now()),
      mono: () => ((reads += 1), clock.mono()),
      timer: (ms, fn) => clock.timer(ms, fn),
    }).track(INFO);
    tracker.success(1);
    await clock.advance(3000);
    reads = 0;
    tracker.success(1, clock.mono());
    assert.equal(reads, 0);
    await clock.advance(2000);
    assert.equal(tracker.report().lastSuccess, '2026-01-01T00:00:03.000Z');
    clock.jump(3_600_000);
    assert.equal(tracker.report().lastSuccess, '2026-01-01T01:00:03.000Z', 'two seconds ago, on any clock');
  });
});
