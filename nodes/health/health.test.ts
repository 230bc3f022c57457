import assert from 'node:assert/strict';
import { Scope } from '../../lib/core';
import type { HealthBoard, HealthReport } from '../../lib/observe/types';
import { parse } from '../../lib/spec';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { monitor } from './monitor';
import type { HealthSummary } from './report';
import type { Alert } from './rules';

const base: HealthReport = {
  id: 'c1',
  name: 'Press 1',
  type: 'holdfast-modbus-connection',
  state: 'healthy',
  since: '2026-01-01T00:00:00.000Z',
  reason: 'The device answers.',
  lastSuccess: null,
  lastError: null,
  breaker: 'closed',
  simulated: false,
  calls: 0,
  errors: 0,
  latencyMs: null,
};

class Board implements HealthBoard {
  readonly listeners = new Set<(report: HealthReport) => void>();
  list: HealthReport[] = [base];
  reports = (): readonly HealthReport[] => this.list;
  onChange = (fn: (report: HealthReport) => void): (() => void) => {
    this.listeners.add(fn);
    return () => void this.listeners.delete(fn);
  };
  /** Replaces a report without telling: figures change silently. */
  quietly(change: Partial<HealthReport>, id = 'c1'): void {
    this.list = this.list.map((one) => (one.id === id ? { ...one, ...change } : one));
  }
  change(change: Partial<HealthReport>, id = 'c1'): void {
    this.quietly(change, id);
    for (const fn of this.listeners) fn({ ...base, ...change, id });
  }
}

interface Sent {
  readonly output: number;
  readonly topic: unknown;
  readonly reason: unknown;
  readonly payload: unknown;
}

function begin(raw: Record<string, unknown> = {}) {
  const clock = new VirtualClock();
  const board = new Board();
  const sent: Sent[] = [];
  const notes: string[] = [];
  const parsed = parse(monitor.fields, raw);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const stop = monitor.start({
    config: parsed.values,
    board,
    clock,
    scope: new Scope(),
    emit: (msg, output = 0) =>
      sent.push({ output, topic: msg.topic, reason: msg['reason'], payload: msg.payload }),
    note: (text, level) => notes.push(`${level}: ${text}`),
  });
  const reports = (): Sent[] => sent.filter((one) => one.output === 0);
  const alerts = (): Alert[] => sent.filter((one) => one.output === 1).map((one) => one.payload as Alert);
  const last = (): HealthSummary => reports().at(-1)?.payload as HealthSummary;
  return { clock, board, sent, notes, stop, reports, alerts, last };
}

describe('health', () => {
  it('reports at start, on change and on the interval', async () => {
    const { clock, board, reports, last, notes } = begin({ interval: '10s', rules: [] });
    await clock.advance(200);
    assert.deepEqual(
      reports().map((one) => one.reason),
      ['start'],
    );
    assert.equal(last().state, 'healthy');
    assert.equal(notes.at(-1), 'good: 1 healthy');

    board.change({ state: 'degraded' });
    board.change({ state: 'unhealthy' });
    await clock.advance(200);
    assert.deepEqual(
      reports().map((one) => one.reason),
      ['start', 'change'],
      'changes that come together share a message',
    );
    assert.equal(last().state, 'unhealthy');
    assert.equal(notes.at(-1), 'bad: 1 unhealthy');

    await clock.advance(20_000);
    assert.deepEqual(
      reports().map((one) => one.reason),
      ['start', 'change', 'interval', 'interval'],
    );
  });

  it('reports only changes without an interval', async () => {
    const { clock, reports } = begin({ interval: '', rules: [] });
    await clock.advance(3_600_000);
    assert.equal(reports().length, 1);
  });

  it('watches the named connections, by name or id, and names those that do not exist', async () => {
    const { clock, board, last, notes } = begin({ connections: ['Press 1', 'c3', 'Oven'], rules: [] });
    board.list = [base, { ...base, id: 'c2', name: 'Press 2' }, { ...base, id: 'c3', name: 'Press 3' }];
    await clock.advance(200);
    assert.deepEqual(
      last().connections.map((one) => one.name),
      ['Press 1', 'Press 3'],
    );
    assert.deepEqual(last().missing, ['Oven']);
    assert.equal(last().state, 'unknown');
    assert.equal(notes.at(-1), 'warn: 2 healthy, 1 missing');
  });

  it('takes the worst state; no connection at all is unknown', async () => {
    const { clock, board, last, notes } = begin({ interval: '1s', rules: [] });
    board.list = [base, { ...base, id: 'c2', state: 'degraded' }, { ...base, id: 'c3', state: 'unknown' }];
    await clock.advance(200);
    assert.equal(last().state, 'degraded');
    board.list = [];
    await clock.advance(1000);
    assert.equal(last().state, 'unknown');
    assert.equal(notes.at(-1), 'warn: no connections');
  });

  it('raises an alert only after the condition held without a break, and clears it likewise', async () => {
    const rules = [{ name: 'Down', condition: 'unhealthy', raiseAfter: '30s', clearAfter: '10s' }];
    const { clock, board, alerts, last } = begin({ rules, interval: '1m' });
    board.change({ state: 'unhealthy', reason: 'Nothing listens.' });
    await clock.advance(25_000);
    board.change({ state: 'healthy' });
    await clock.advance(2000);
    board.change({ state: 'unhealthy', reason: 'Nothing listens.' });
    await clock.advance(25_000);
    assert.deepEqual(alerts(), [], 'a break starts the duration anew');

    await clock.advance(10_000);
    assert.equal(alerts().length, 1);
    const raised = alerts()[0];
    assert.equal(raised?.state, 'raised');
    assert.equal(raised.clearedAt, null);
    assert.equal(raised.reason, 'Press 1: unhealthy; Nothing listens.');
    assert.deepEqual(raised.connection, { id: 'c1', name: 'Press 1', type: base.type });
    assert.ok(raised.id.startsWith('Down/c1/2026-01-01T00:00:5'));
    await clock.advance(60_000);
    assert.equal(alerts().length, 1, 'an alert is raised once');
    assert.equal(last().alerts.length, 1);

    board.change({ state: 'healthy' });
    await clock.advance(5000);
    board.change({ state: 'unhealthy' });
    await clock.advance(2000);
    board.change({ state: 'healthy' });
    await clock.advance(8000);
    assert.equal(alerts().length, 1, 'the recovery must last, too');
    await clock.advance(5000);
    const cleared = alerts()[1];
    assert.equal(cleared?.state, 'cleared');
    assert.equal(cleared.id, raised.id);
    assert.equal(cleared.raisedAt, raised.raisedAt);
    assert.ok((cleared.clearedAt ?? '') > raised.raisedAt);
  });

  it('raises on the error rate only with enough calls, and on latency', async () => {
    const rules = [
      { name: 'Errors', condition: 'errorRate', above: 20, minCalls: 10, raiseAfter: '0s', clearAfter: '0s' },
      { name: 'Slow', condition: 'latency', above: 250, minCalls: 5, raiseAfter: '0s', clearAfter: '0s' },
    ];
    const { clock, board, alerts } = begin({ rules });
    board.quietly({ calls: 9, errors: 9, latencyMs: 250 });
    await clock.advance(2000);
    assert.deepEqual(alerts(), []);
    board.quietly({ calls: 10, errors: 3, latencyMs: 250.5 });
    await clock.advance(2000);
    assert.deepEqual(
      alerts().map((one) => [one.rule, one.state, one.value, one.threshold]),
      [
        ['Errors', 'raised', 30, 20],
        ['Slow', 'raised', 250.5, 250],
      ],
    );
    assert.match(alerts()[0]?.reason ?? '', /3 of 10 calls failed in the last minute \(30\.0 %\)/);
    board.quietly({ calls: 10, errors: 2, latencyMs: 100 });
    await clock.advance(2000);
    assert.deepEqual(
      alerts()
        .slice(2)
        .map((one) => [one.rule, one.state]),
      [
        ['Errors', 'cleared'],
        ['Slow', 'cleared'],
      ],
    );
  });

  it('keeps the alerts of different connections apart and clears those of a removed one', async () => {
    const rules = [{ name: 'Down', condition: 'unhealthy', raiseAfter: '0s', clearAfter: '1h' }];
    const { clock, board, alerts } = begin({ rules });
    board.list = [
      { ...base, state: 'unhealthy' },
      { ...base, id: 'c2', name: 'Press 2', state: 'unhealthy' },
    ];
    await clock.advance(1500);
    assert.equal(alerts().length, 2);
    board.list = board.list.slice(1);
    await clock.advance(1500);
    assert.equal(alerts().length, 3);
    assert.equal(alerts()[2]?.state, 'cleared');
    assert.equal(alerts()[2]?.connection.id, 'c1');
    assert.equal(alerts()[2]?.value, null);
  });

  it('measures durations on the monotonic clock', async () => {
    const rules = [{ name: 'Down', condition: 'unhealthy', raiseAfter: '30s', clearAfter: '30s' }];
    const { clock, board, alerts } = begin({ rules });
    board.change({ state: 'unhealthy' });
    await clock.advance(2000);
    clock.jump(86_400_000);
    await clock.advance(2000);
    assert.deepEqual(alerts(), []);
    clock.jump(-2 * 86_400_000);
    await clock.advance(30_000);
    assert.equal(alerts().length, 1);
  });

  it('leaves no timer and no listener behind', async () => {
    const { clock, board, stop, sent } = begin();
    board.change({ state: 'unhealthy' });
    stop();
    assert.equal(clock.pending, 0);
    assert.equal(board.listeners.size, 0);
    await clock.advance(100_000);
    assert.deepEqual(sent, []);
  });

  it('asks for a limit where the condition needs one', () => {
    const parsed = parse(monitor.fields, { rules: [{ name: 'Errors', condition: 'errorRate', above: '' }] });
    assert.equal(parsed.ok, false);
    assert.match(JSON.stringify(parsed), /Alert rules, row 1, Limit/);
  });
});
