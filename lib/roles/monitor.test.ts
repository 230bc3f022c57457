import assert from 'node:assert/strict';
import { Failure } from '../core';
import { Harness } from '../../test/helpers/harness';
import { defineMonitor } from './declare';

describe('monitor node', () => {
  it('sees every connection, without secrets, until it is closed', async () => {
    const harness = new Harness();
    const { runtime } = harness;
    runtime.redactor.add('canary-1618');
    const seen: unknown[] = [];
    const monitor = defineMonitor({
      type: 'holdfast-watch',
      version: 1,
      label: 'watch',
      summary: 'Watches.',
      fields: {},
      start: ({ board, emit }) => board.onChange((report) => emit({ payload: [report, board.reports()] })),
    });
    const { recorded } = harness.monitor(monitor, {});
    const tracker = runtime.board.track({
      id: 'c',
      name: 'PLC',
      type: 'holdfast-x-connection',
      simulated: false,
    });
    tracker.failure(
      new Failure('auth', 'AUTH_FAILED', 'canary-1618 is wrong', { details: { given: 'canary-1618' } }),
    );
    seen.push(...recorded.sent);
    assert.ok(seen.length > 0);
    assert.ok(!JSON.stringify(seen).includes('canary'));
    await harness.close();
    tracker.success(1);
    assert.equal(recorded.sent.length, seen.length);
  });
});
