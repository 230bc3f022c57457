import assert from 'node:assert/strict';
import { FAULTS, withFault } from './broken';
import { prove } from './prove';
import { shrink } from './shrink';
import { brokenMemory, FILE_STORE, MEMORY_STORE } from './stores';

describe('The model of a queue', function () {
  this.timeout(180_000);

  it('agrees with the memory store', async () => {
    const { sequences, actions, violations, shown } = await prove('memory', MEMORY_STORE, {
      seed: 77,
      from: 0,
      count: 600,
    });
    assert.deepEqual([sequences, violations, shown], [600, 0, []]);
    assert.ok(actions > 10_000, `${actions} actions`);
  });

  it('agrees with the file store, over the ends of its thread, its process and its power', async () => {
    const store = { ...FILE_STORE, group: 100, atOnce: 1 };
    const { sequences, crashes, violations, shown } = await prove('file', store, {
      seed: 5,
      from: 0,
      count: 300,
    });
    assert.deepEqual([sequences, violations, shown], [300, 0, []]);
    assert.ok(crashes >= 3, `${crashes} crashes`);
  });

  for (const [name, fault] of Object.entries(FAULTS)) {
    it(`finds a queue that ${name}`, async () => {
      const store = { ...brokenMemory(withFault(fault())), tries: 60 };
      const { violations, shown } = await prove('broken', store, { seed: 3, from: 0, count: 100 });
      assert.ok(violations > 0);
      assert.match(shown[0] ?? '', /prove:model -- --store broken --seed 3 --from \d+ --count \d+/);
    });
  }

  it('shortens a list to what fails', async () => {
    const put = (id: string) => ({ action: { do: 'put', id, key: '', bytes: 1, failed: 0 } as const });
    const list = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(put);
    const fails = (steps: readonly { action?: unknown }[]): Promise<boolean> => {
      const text = JSON.stringify(steps);
      return Promise.resolve(text.includes('"b"') && text.includes('"f"'));
    };
    assert.deepEqual(await shrink(list, fails, 100), [put('b'), put('f')]);
  });
});
