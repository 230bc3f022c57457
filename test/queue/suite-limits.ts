/** Limits by records, bytes and age; duplicates; clocks that jump. */
import assert from 'node:assert/strict';
import { isFailure } from '../../lib/core';
import type { Entry, Queue, QueueOptions } from '../../lib/queue';
import { failureOf } from '../helpers/failure-of';
import { VirtualClock } from '../helpers/virtual-clock';
import { entry, eventually, fill, LEASE, leased, one, OPTIONS, SHORT_MS, type StoreBed } from './bed';
import type { Now, Test } from './suite';

type Refusal = StoreBed['refuses'] extends ReadonlySet<infer T> | undefined ? T : never;

/** What cannot be stored although the oldest make room is refused or dropped; never silently. */
async function notStored(queue: Queue, record: Entry): Promise<boolean> {
  try {
    return (await queue.put(record)) === 'dropped';
  } catch (error) {
    return isFailure(error) && error.code === 'QUEUE_FULL';
  }
}

/** Where the broker makes room: what was oldest is a dead letter, and comes back by replay. */
async function oldestDie(queue: Queue): Promise<void> {
  await fill(queue, ['a', 'b', 'c', 'd', 'e']);
  await eventually(async () => {
    const { waiting, dead } = await queue.stats();
    assert.deepEqual([waiting, dead], [3, 2]);
  });
  await leased(queue, ['c', 'd', 'e']);
  assert.equal(await queue.replay({}), 2);
  await leased(queue, ['a', 'b']);
}

export function limitTests(test: Test, now: Now): void {
  /** A queue of these options; undefined where the store refuses them, which is tested. */
  const limited = async (
    what: Refusal | 'nothing',
    options: Partial<QueueOptions>,
  ): Promise<Queue | undefined> => {
    if (what === 'nothing' || !now().bed.refuses?.has(what)) return now().queue(options);
    const failure = await failureOf(now().store.open(now().name(), { ...OPTIONS, ...options }));
    assert.equal(failure.kind, 'config');
    return undefined;
  };

  test('refuses a put beyond its records, until there is room', async () => {
    const queue = await limited('nothing', { maxRecords: 3 });
    assert.ok(queue);
    await fill(queue, ['a', 'b', 'c']);
    const failure = await failureOf(queue.put(entry('d')));
    assert.deepEqual([failure.code, failure.retryable, failure.reached], ['QUEUE_FULL', true, false]);
    const { token } = await one(queue);
    // What is leased counts.
    assert.equal((await failureOf(queue.put(entry('e')))).code, 'QUEUE_FULL');
    assert.equal(await queue.acknowledge(token), true);
    if (now().bed.limitsOfBroker)
      for (const { token: next } of await leased(queue, ['b', 'c']))
        assert.equal(await queue.acknowledge(next), true);
    await eventually(async () => assert.equal(await queue.put(entry('f')), 'stored'));
    await leased(queue, now().bed.limitsOfBroker ? ['f'] : ['b', 'c', 'f']);
  });

  test('refuses a put beyond its bytes', async () => {
    const queue = await limited('maxBytes', { maxBytes: 10_000 });
    if (!queue) return;
    assert.equal((await failureOf(queue.put(entry('z', '', 'x'.repeat(12_000))))).code, 'QUEUE_FULL');
    await queue.put(entry('a', '', 'x'.repeat(4_000)));
    if (now().bed.limitsOfBroker) {
      await queue.put(entry('b', '', 'x'.repeat(9_000)));
      assert.equal((await failureOf(queue.put(entry('c')))).code, 'QUEUE_FULL');
      return void (await leased(queue, ['a', 'b']));
    }
    assert.equal((await failureOf(queue.put(entry('b', '', 'x'.repeat(9_000))))).code, 'QUEUE_FULL');
    assert.equal(await queue.put(entry('c', '', 'x'.repeat(3_000))), 'stored');
    await leased(queue, ['a', 'c']);
  });

  test('drops the oldest that is not leased, and counts it', async () => {
    const queue = await limited('dropOldest', { maxRecords: 3, whenFull: 'dropOldest' });
    if (!queue) return;
    if (now().bed.limitsOfBroker) return oldestDie(queue);
    let dropped = 0;
    queue.listen({ dropped: (count, reason) => reason === 'full' && (dropped += count) });
    await fill(queue, ['a', 'b', 'c']);
    const held = await one(queue);
    assert.equal(await queue.put(entry('d')), 'stored');
    assert.equal(await queue.put(entry('e')), 'stored');
    await leased(queue, ['d', 'e']);
    await eventually(async () => {
      const { totals } = await queue.stats();
      assert.deepEqual([totals.put, totals.dropped.full, dropped], [5, 2, 2]);
    });
    // All that is left is leased.
    assert.equal(await notStored(queue, entry('f')), true);
    assert.equal(await queue.acknowledge(held.token), true);
    assert.equal(await queue.put(entry('g')), 'stored');
    await leased(queue, ['g']);
  });

  test('drops as many of the oldest as a large record needs', async () => {
    if (now().bed.refuses?.has('maxBytes')) return;
    const queue = await limited('dropOldest', { maxBytes: 10_000, whenFull: 'dropOldest' });
    if (!queue) return;
    for (const name of ['a', 'b', 'c']) await queue.put(entry(name, '', 'x'.repeat(3_000)));
    assert.equal(await queue.put(entry('d', '', 'x'.repeat(6_000))), 'stored');
    assert.equal(await notStored(queue, entry('e', '', 'x'.repeat(12_000))), true);
    await leased(queue, ['c', 'd']);
  });

  test('drops the newest, says so, and counts it', async () => {
    const queue = await limited('dropNewest', { maxRecords: 2, whenFull: 'dropNewest' });
    if (!queue) return;
    let dropped = 0;
    queue.listen({ dropped: (count) => (dropped += count) });
    await fill(queue, ['a', 'b']);
    assert.equal(await queue.put(entry('c')), 'dropped');
    await leased(queue, ['a', 'b']);
    await eventually(async () => {
      const { totals } = await queue.stats();
      assert.deepEqual([totals.dropped.full, dropped], [1, 1]);
    });
  });

  test('makes a dead letter of what waited too long', async () => {
    const queue = await limited('age', { maxAgeMs: SHORT_MS });
    if (!queue) return;
    await fill(queue, ['a']);
    if (now().bed.virtualTime) {
      await now().pass(SHORT_MS - 1);
      assert.equal((await queue.stats()).waiting, 1);
    }
    await now().pass(1);
    await eventually(async () => {
      const { waiting, dead, totals } = await queue.stats();
      assert.deepEqual([waiting, dead, totals.died], [0, 1, now().bed.limitsOfBroker ? 0 : 1]);
    });
    const [letter] = (await now().store.dead?.list({ queue: queue.name }, { after: 0, limit: 9 })) ?? [];
    if (now().store.dead) assert.deepEqual([letter?.id, letter?.code], ['a', 'EXPIRED']);
  });

  test('drops what waited too long where that is wanted', async () => {
    const queue = await limited('dropOld', { maxAgeMs: SHORT_MS, whenOld: 'drop' });
    if (!queue) return;
    let dropped = 0;
    queue.listen({ dropped: (count, reason) => reason === 'old' && (dropped += count) });
    await fill(queue, ['a', 'b']);
    await now().pass(SHORT_MS);
    await eventually(async () => {
      const { waiting, dead, totals } = await queue.stats();
      assert.deepEqual([waiting, dead, totals.dropped.old, dropped], [0, 0, 2, 2]);
    });
  });

  test('does not end a record for its age while somebody works on it', async () => {
    if (!now().bed.virtualTime) return;
    const queue = await now().queue({ maxAgeMs: 1_000 });
    await fill(queue, ['a', 'b']);
    const { token } = await one(queue);
    await now().pass(5_000);
    assert.equal(await queue.acknowledge(token), true);
    await eventually(async () => assert.equal((await queue.stats()).totals.died, 1));
  });

  test('neither expires nor sends again because the wall clock jumps', async () => {
    const { clock } = now().bed;
    if (!(clock instanceof VirtualClock)) return;
    const queue = await now().queue({ maxAgeMs: 3_600_000, duplicateWindowMs: 3_600_000 });
    await fill(queue, ['a', 'b', 'c']);
    const [a, b] = await queue.lease({ ...LEASE, max: 2 });
    assert.ok(a && b);
    await queue.reject(b.token, undefined, 60_000);
    for (const days of [1, -2, 365]) {
      clock.jump(days * 86_400_000);
      assert.equal(await queue.put(entry('a')), 'duplicate');
      const { waiting, leased: out, delayed, dead } = await queue.stats();
      assert.deepEqual([waiting, out, delayed, dead], [1, 1, 1, 0]);
    }
    assert.equal(await queue.acknowledge(a.token), true);
  });

  test('does not count the time during which it was closed', async () => {
    if (!now().store.capabilities.durable || !now().bed.virtualTime) return;
    const before = await now().queue({ maxAgeMs: 1_000 });
    await fill(before, ['a']);
    await now().pass(600);
    await now().store.close();
    await now().pass(86_400_000);
    await now().reopen();
    const queue = await now().again(before);
    await now().pass(399);
    assert.equal((await queue.stats()).waiting, 1);
    await now().pass(1);
    await eventually(async () => assert.equal((await queue.stats()).totals.died, 1));
  });

  test('stores an id once within the window, or says that it cannot', async () => {
    const { duplicates } = now().store.capabilities;
    if (!duplicates) return assert.equal(duplicates, false);
    const queue = await now().queue({ duplicateWindowMs: 120_000 });
    assert.equal(await queue.put(entry('a', '', 'first')), 'stored');
    assert.equal(await queue.put(entry('a', '', 'second')), 'duplicate');
    const { token, entry: got } = await one(queue);
    assert.equal(Buffer.from(got.body).toString(), 'first');
    assert.equal(await queue.acknowledge(token), true);
    assert.equal(await queue.put(entry('a')), 'duplicate');
    const { totals } = await queue.stats();
    assert.deepEqual([totals.put, totals.duplicates], [1, 2]);
    if (now().bed.reopen) {
      await now().reopen();
      assert.equal(await (await now().again(queue)).put(entry('a')), 'duplicate');
    }
    if (!now().bed.virtualTime) return undefined;
    await now().pass(120_000);
    return assert.equal(await (await now().again(queue)).put(entry('a')), 'stored');
  });

  test('stores the same id twice where nobody asked for less', async () => {
    const queue = await now().queue();
    await fill(queue, ['a', 'a']);
    await leased(queue, ['a', 'a']);
  });
}
