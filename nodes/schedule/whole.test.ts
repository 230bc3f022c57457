import assert from 'node:assert/strict';
import { isFailure } from '../../lib/core';
import { Harness } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { trigger } from './trigger';

const raw = {
  timeZone: 'UTC',
  schedules: [{ name: 'tick', kind: 'interval', when: '1m', payload: 'x', payloadType: 'str' }],
};

describe('schedule: through its role', () => {
  it('runs, shows the next run, obeys, and leaves nothing behind', async () => {
    const clock = new VirtualClock();
    const harness = new Harness({ clock });
    const { node, recorded } = harness.trigger(trigger, undefined, raw);
    await clock.advance(2 * 60_000);
    assert.deepEqual(
      recorded.sent.map(({ output, msg }) => `${output} ${String(msg.topic)}`),
      ['0 tick', '1 decision', '0 tick', '1 decision'],
    );
    assert.match(recorded.statuses.at(-1)?.text ?? '', /00:03:00 tick/);
    await node.input({ payload: 'tick' });
    assert.equal(recorded.sent.length, 6);
    await assert.rejects(
      node.input({ payload: 'tock' }),
      (error) => isFailure(error) && error.code === 'BAD_MESSAGE',
    );
    await harness.close();
    assert.equal(clock.pending, 0);
    assert.deepEqual(recorded.failures, []);
  });

  it('is a configuration failure when a row is wrong', () => {
    const wrong = { ...raw, schedules: [{ ...raw.schedules[0], kind: 'cron', when: '0 0 31 2 *' }] };
    assert.throws(
      () => new Harness({ clock: new VirtualClock() }).trigger(trigger, undefined, wrong),
      (error) => isFailure(error) && error.kind === 'config' && /row 1 \(tick\), When/.test(error.message),
    );
  });
});
