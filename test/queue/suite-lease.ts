/** How a delivery ends: acknowledged, rejected, released, prolonged, run out, given up. */
import assert from 'node:assert/strict';
import type { Leased, Queue } from '../../lib/queue';
import { attempt, entry, eventually, fill, ids, LEASE, leased, one, SHORT_MS } from './bed';
import type { Now, Test } from './suite';

/** What each use of a token answers. */
async function uses(queue: Queue, token: string): Promise<boolean[]> {
  return [
    await queue.acknowledge(token),
    await queue.reject(token, attempt(), 0),
    await queue.release(token),
    await queue.extend(token, 60_000),
    await queue.deadLetter(token, attempt()),
  ];
}

const NONE = [false, false, false, false, false];

export function leaseTests(test: Test, now: Now): void {
  test('ends a record by its acknowledgement, once', async () => {
    const queue = await now().queue();
    await fill(queue, ['a']);
    const { token } = await one(queue);
    assert.equal(await queue.acknowledge(token), true);
    assert.deepEqual(await uses(queue, token), NONE);
    const { waiting, leased: out, totals } = await queue.stats();
    assert.deepEqual([waiting, out, totals.acknowledged], [0, 0, 1]);
  });

  test('takes tokens that it never gave for worthless', async () => {
    const queue = await now().queue();
    await fill(queue, ['a']);
    for (const token of ['', 'x', '1', '1.1', '-1.-1', '9'.repeat(400), '__proto__', '1.1.1.1'])
      assert.deepEqual(await uses(queue, token), NONE, token);
    await leased(queue, ['a']);
  });

  test('gives a rejected record again in its place, with what failed', async () => {
    const queue = await now().queue();
    await fill(queue, ['a', 'b', 'c']);
    const [a, b] = await leased(queue, ['a', 'b'], { ...LEASE, max: 2 });
    assert.ok(a && b);
    assert.equal(await queue.reject(a.token, attempt('first'), 0), true);
    assert.equal(await queue.acknowledge(a.token), false);
    const [again] = await leased(queue, ['a', 'c']);
    assert.deepEqual([again?.delivery, again?.history], [2, [attempt('first')]]);
    assert.equal(await queue.reject(again?.token ?? '', undefined, 0), true);
    const third = await one(queue);
    assert.deepEqual([third.entry.id, third.delivery, third.history.length], ['a', 3, 1]);
    assert.equal(await queue.acknowledge(b.token), true);
  });

  test('keeps a rejected record back for as long as was asked', async () => {
    const queue = await now().queue();
    await fill(queue, ['a', 'b']);
    const { token } = await one(queue);
    assert.equal(await queue.reject(token, attempt(), SHORT_MS), true);
    assert.deepEqual(ids(await leased(queue, ['b'], { ...LEASE, max: 1 })), ['b']);
    if (now().bed.virtualTime) {
      await now().pass(SHORT_MS - 1);
      assert.deepEqual(await queue.lease(LEASE), []);
    }
    await now().pass(1);
    assert.equal((await one(queue)).delivery, 2);
  });

  test('releases a record as if it had not been leased', async () => {
    const queue = await now().queue();
    await fill(queue, ['a', 'b']);
    const first = await one(queue);
    assert.equal(await queue.release(first.token), true);
    assert.equal(await queue.release(first.token), false);
    const [again] = await leased(queue, ['a', 'b']);
    assert.deepEqual([again?.delivery, again?.history], [1, []]);
  });

  test('gives a record to another when its visibility runs out', async () => {
    const queue = await now().queue();
    let told = 0;
    queue.listen({ ready: () => (told += 1) });
    await fill(queue, ['a', 'b']);
    const { token } = await one(queue, { ...LEASE, visibilityMs: SHORT_MS });
    told = 0;
    if (now().bed.virtualTime) {
      await now().pass(SHORT_MS - 1);
      assert.deepEqual(ids(await queue.lease({ ...LEASE, max: 1 })), ['b']);
    }
    await now().pass(1);
    await eventually(() => assert.ok(told > 0));
    const again = await one(queue);
    assert.deepEqual([again.entry.id, again.delivery], ['a', 2]);
    assert.deepEqual(await uses(queue, token), NONE);
    assert.equal(await queue.acknowledge(again.token), true);
  });

  test('prolongs a lease, or says that it cannot', async () => {
    const queue = await now().queue();
    await fill(queue, ['a']);
    const { token } = await one(queue, { ...LEASE, visibilityMs: 2 * SHORT_MS });
    if (!now().store.capabilities.extend) return assert.equal(await queue.extend(token, 60_000), false);
    await now().pass(2 * SHORT_MS - 1);
    assert.equal(await queue.extend(token, 60_000), true);
    await now().pass(59_999);
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.equal(await queue.extend(token, SHORT_MS), true);
    await now().pass(SHORT_MS);
    const again = await one(queue);
    assert.equal(again.delivery, 2);
    return assert.equal(await queue.extend(token, 60_000), false);
  });

  test('keeps the last twenty attempts, oldest first', async () => {
    const queue = await now().queue();
    const early = Array.from({ length: 15 }, (_, i) => attempt(`before ${i}`));
    await queue.put({ ...entry('a'), history: early });
    for (let i = 0; i < 10; i += 1)
      assert.equal(await queue.reject((await one(queue)).token, attempt(`failed ${i}`), 0), true);
    const { history, delivery } = await one(queue);
    const all = [...early, ...Array.from({ length: 10 }, (_, i) => attempt(`failed ${i}`))];
    assert.deepEqual(history, all.slice(-20));
    assert.equal(delivery, 11);
  });

  test('gives each record to one of those who ask at once', async () => {
    const queue = await now().queue();
    const other = await now().again(queue);
    const names = Array.from({ length: 60 }, (_, i) => `r${i}`);
    await Promise.all(names.map((name) => queue.put(entry(name))));
    const seen: Leased[] = [];
    await eventually(async () => {
      const asked = [queue, other, queue, other].map((one) => one.lease({ ...LEASE, max: 4 }));
      seen.push(...(await Promise.all(asked)).flat());
      assert.equal(seen.length, 60);
    });
    assert.deepEqual(ids(seen).sort(), names.sort());
  });

  test('makes a dead letter of what was delivered too often', async () => {
    const queue = await now().queue({ maxDeliveries: 2 });
    let died = 0;
    queue.listen({ died: (count) => (died += count) });
    await fill(queue, ['a', 'b']);
    for (const wanted of [1, 2]) {
      const found = await one(queue);
      assert.deepEqual([found.entry.id, found.delivery], ['a', wanted]);
      assert.equal(await queue.reject(found.token, attempt(`failed ${wanted}`), 0), true);
    }
    const [b] = await leased(queue, ['b']);
    assert.equal(await queue.acknowledge(b?.token ?? ''), true);
    await eventually(async () => {
      assert.deepEqual(await queue.lease(LEASE), []);
      const { totals, waiting, dead } = await queue.stats();
      assert.deepEqual([totals.died, waiting, dead, died], [1, 0, 1, 1]);
    });
    const [letter] = (await now().store.dead?.list({ queue: queue.name }, { after: 0, limit: 10 })) ?? [];
    if (!now().store.dead) return;
    assert.deepEqual([letter?.id, letter?.attempts], ['a', 2]);
    // The reason of the last failure, or that there were too many.
    assert.ok(['PEER_ERROR', 'DELIVERIES_EXHAUSTED'].includes(letter?.code ?? ''), letter?.code);
  });

  test('counts a delivery whose visibility ran out', async () => {
    const queue = await now().queue({ maxDeliveries: 1 });
    await fill(queue, ['a']);
    await one(queue, { ...LEASE, visibilityMs: SHORT_MS });
    await now().pass(SHORT_MS);
    await eventually(async () => {
      assert.deepEqual(await queue.lease(LEASE), []);
      assert.equal((await queue.stats()).totals.died, 1);
    });
  });

  test('does not count what was released', async () => {
    const queue = await now().queue({ maxDeliveries: 1 });
    await fill(queue, ['a']);
    for (let i = 0; i < 5; i += 1) assert.equal(await queue.release((await one(queue)).token), true);
    assert.equal((await one(queue)).delivery, 1);
  });
}
