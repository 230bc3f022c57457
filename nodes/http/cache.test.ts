import assert from 'node:assert/strict';
import { systemClock } from '../../lib/core';
import { Harness } from '../../test/helpers/harness';
import { adapter } from './adapter';
import { connector } from './connector';
import { start } from './simulator';

describe('http: kept results', () => {
  it('belong to one request: a placeholder from the message makes another one', async () => {
    const simulator = await start({ port: 0, seed: 1, clock: systemClock });
    const harness = new Harness();
    try {
      const { connection } = harness.connection(connector, {
        name: 'API',
        baseUrl: `http://127.0.0.1:${simulator.port}`,
      });
      const node = harness.adapter(adapter, connection, {
        path: '/echo?asked={topic}',
        cacheFor: '1m',
      });
      const ask = async (topic: string): Promise<string> =>
        JSON.stringify((await node.send({ topic, payload: 1 }))[0]?.payload);
      const first = await ask('a');
      assert.notEqual(await ask('b'), first);
      assert.equal(await ask('a'), first);
      const { counters } = harness.runtime.metrics.snapshot()[0] ?? assert.fail('no series');
      assert.deepEqual([counters.cacheHits, counters.cacheMisses], [1, 2]);
    } finally {
      await harness.close();
      await simulator.close();
    }
  });
});
