import assert from 'node:assert/strict';
import { Harness } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { monitor } from './monitor';

describe('health: through its role', () => {
  it('reports, shows a status, and leaves nothing behind', async () => {
    const clock = new VirtualClock();
    const harness = new Harness({ clock });
    const { recorded } = harness.monitor(monitor, { interval: '10s', rules: [] });
    await clock.advance(15_000);
    assert.deepEqual(
      recorded.sent.map(({ msg }) => msg['reason']),
      ['start', 'interval'],
    );
    assert.deepEqual(recorded.sent[0]?.msg.payload, {
      state: 'unknown',
      connections: [],
      missing: [],
      alerts: [],
    });
    assert.match(recorded.statuses.at(-1)?.text ?? '', /no connections/);
    await harness.close();
    assert.equal(clock.pending, 0);
  });
});
