import assert from 'node:assert/strict';
import { settle, VirtualClock } from '../../test/helpers/virtual-clock';
import { Collector, type ItemResult } from './collector';

interface Flushed {
  readonly items: readonly number[];
  end(results?: ItemResult<number>[]): void;
  fail(error: Error): void;
}

function setUp(limits: { items: number; waitMs: number }) {
  const clock = new VirtualClock();
  const flushed: Flushed[] = [];
  const collector = new Collector<number, number>(
    clock,
    limits,
    (items) =>
      new Promise((resolve, reject) => {
        const fine = items.map((value) => ({ ok: true as const, value }));
        flushed.push({ items, end: (results = fine) => resolve(results), fail: reject });
      }),
  );
  return { clock, collector, flushed };
}

describe('collector', () => {
  it('sends at once when idle and gathers while a call runs', async () => {
    const { collector, flushed } = setUp({ items: 100, waitMs: 0 });
    const first = collector.add(1);
    await settle();
    const rest = [collector.add(2), collector.add(3)];
    await settle();
    assert.deepEqual(
      flushed.map((one) => one.items),
      [[1]],
    );
    flushed[0]?.end();
    await settle();
    assert.deepEqual(
      flushed.map((one) => one.items),
      [[1], [2, 3]],
    );
    flushed[1]?.end();
    assert.deepEqual(await Promise.all([first, ...rest]), [1, 2, 3]);
  });

  it('waits for patience or number, whichever comes first', async () => {
    const { clock, collector, flushed } = setUp({ items: 2, waitMs: 50 });
    void collector.add(1);
    await clock.advance(49);
    assert.equal(flushed.length, 0);
    await clock.advance(1);
    assert.deepEqual(
      flushed.map((one) => one.items),
      [[1]],
    );
    flushed[0]?.end();
    await settle();
    void collector.add(2);
    void collector.add(3);
    await settle();
    assert.deepEqual(flushed[1]?.items, [2, 3]);
    assert.equal(clock.pending, 0);
  });

  it('never sends more than its limit at once', async () => {
    const { collector, flushed } = setUp({ items: 2, waitMs: 0 });
    for (let i = 0; i < 5; i += 1) void collector.add(i);
    for (let i = 0; i < 3; i += 1) {
      await settle();
      flushed[i]?.end();
    }
    await settle();
    assert.deepEqual(
      flushed.map((one) => one.items),
      [[0, 1], [2, 3], [4]],
    );
  });

  it('lets one bad item fail alone, and all when the call fails', async () => {
    const { collector, flushed } = setUp({ items: 10, waitMs: 0 });
    const results = Promise.allSettled([collector.add(1), collector.add(2)]);
    await settle();
    flushed[0]?.end([
      { ok: true, value: 1 },
      { ok: false, error: new Error('row 2') },
    ]);
    assert.deepEqual(
      (await results).map((one) => one.status),
      ['fulfilled', 'rejected'],
    );
    const all = Promise.allSettled([collector.add(3), collector.add(4)]);
    await settle();
    flushed[1]?.fail(new Error('down'));
    assert.deepEqual(
      (await all).map((one) => one.status),
      ['rejected', 'rejected'],
    );
  });

  it('goes on after a call that returned too few outcomes', async () => {
    const { collector, flushed } = setUp({ items: 10, waitMs: 0 });
    const missing = collector.add(1);
    await settle();
    flushed[0]?.end([]);
    await assert.rejects(missing, /fewer outcomes/);
    const next = collector.add(2);
    await settle();
    flushed[1]?.end();
    assert.equal(await next, 2);
  });
});
