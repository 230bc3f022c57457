/** Order within a key while other keys go on. */
import assert from 'node:assert/strict';
import { attempt, entry, eventually, fill, ids, LEASE, leased, one, SHORT_MS } from './bed';
import type { Now, Test } from './suite';

export function keyTests(test: Test, now: Now): void {
  const hasKeys = (): boolean => now().store.capabilities.keys;

  test('carries a key also where it cannot order by it', async () => {
    const queue = await now().queue();
    await fill(queue, ['a'], 'press 7');
    assert.equal((await one(queue)).entry.key, 'press 7');
  });

  test('lets only the key wait of which a record is out', async () => {
    if (!hasKeys()) return;
    const queue = await now().queue();
    await fill(queue, ['p1', 'p2', 'p3'], 'p');
    await fill(queue, ['q1', 'q2'], 'q');
    await fill(queue, ['x', 'y']);
    const held = await one(queue);
    assert.equal(held.entry.id, 'p1');
    await leased(queue, ['q1', 'x', 'y'], { ...LEASE, perKey: 1 });
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.equal(await queue.acknowledge(held.token), true);
    await leased(queue, ['p2', 'p3']);
  });

  test('gives several of one key in one lease, in their order, and no more than asked', async () => {
    if (!hasKeys()) return;
    const queue = await now().queue();
    await fill(queue, ['p1', 'p2', 'p3', 'p4', 'p5'], 'p');
    await fill(queue, ['q1', 'q2', 'q3'], 'q');
    const first = await queue.lease({ ...LEASE, perKey: 2 });
    assert.deepEqual(ids(first), ['p1', 'p2', 'q1', 'q2']);
    const [p1, p2] = first;
    assert.ok(p1 && p2);
    assert.equal(await queue.acknowledge(p2.token), true);
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.equal(await queue.acknowledge(p1.token), true);
    assert.deepEqual(ids(await queue.lease(LEASE)), ['p3', 'p4', 'p5']);
  });

  test('gives an earlier record of a batch again although a later one is still out', async () => {
    if (!hasKeys()) return;
    const queue = await now().queue();
    await fill(queue, ['p1', 'p2', 'p3'], 'p');
    const [p1, p2] = await queue.lease({ ...LEASE, max: 2 });
    assert.ok(p1 && p2);
    assert.equal(await queue.release(p1.token), true);
    const again = await queue.lease(LEASE);
    assert.deepEqual(ids(again), ['p1']);
    assert.equal(await queue.release(p2.token), true);
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.equal(await queue.acknowledge(again[0]?.token ?? ''), true);
    assert.deepEqual(ids(await queue.lease(LEASE)), ['p2', 'p3']);
  });

  test('lets a key wait for its delayed record', async () => {
    if (!hasKeys()) return;
    const queue = await now().queue();
    await fill(queue, ['p1', 'p2'], 'p');
    await fill(queue, ['q1'], 'q');
    const { token } = await one(queue);
    assert.equal(await queue.reject(token, attempt(), SHORT_MS), true);
    await leased(queue, ['q1']);
    if (now().bed.virtualTime) assert.deepEqual(await queue.lease(LEASE), []);
    await now().pass(SHORT_MS);
    await leased(queue, ['p1', 'p2']);
  });

  test('makes one line of records without a key where the queue is ordered', async () => {
    if (!hasKeys()) return;
    const queue = await now().queue({ ordered: true });
    await fill(queue, ['a', 'b', 'c']);
    await fill(queue, ['p1'], 'p');
    const [a] = await queue.lease({ ...LEASE, max: 1 });
    assert.deepEqual(ids(await queue.lease(LEASE)), ['p1']);
    assert.equal(await queue.reject(a?.token ?? '', attempt(), 0), true);
    assert.deepEqual(ids(await queue.lease({ ...LEASE, perKey: 1 })), ['a']);
  });

  test('makes one line of all records where the queue is ordered and the store knows no keys', async () => {
    if (hasKeys()) return;
    const queue = await now().queue({ ordered: true });
    await fill(queue, ['a', 'b', 'c']);
    const { token } = await one(queue);
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.equal(await queue.reject(token, attempt(), SHORT_MS), true);
    assert.deepEqual(await queue.lease(LEASE), []);
    const again = await one(queue);
    assert.deepEqual([again.entry.id, again.delivery], ['a', 2]);
    assert.equal(await queue.acknowledge(again.token), true);
    const b = await one(queue);
    assert.equal(await queue.deadLetter(b.token, attempt()), true);
    assert.deepEqual([b.entry.id, (await one(queue)).entry.id], ['b', 'c']);
  });

  test('finds other keys behind many records of a stuck one', async () => {
    if (!hasKeys()) return;
    const queue = await now().queue();
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => queue.put(entry(`p${i}`, 'p'))));
    const { token } = await one(queue);
    for (let round = 0; round < 5; round += 1) {
      await fill(queue, [`q${round}`], `q${round}`);
      await leased(queue, [`q${round}`]);
    }
    await queue.acknowledge(token);
    await leased(queue, ['p1'], { ...LEASE, perKey: 1 });
  });

  test('lets a key go on when its first record dies, is purged or grows old', async () => {
    if (!hasKeys()) return;
    const queue = await now().queue();
    await fill(queue, ['p1', 'p2', 'p3'], 'p');
    assert.equal(await queue.deadLetter((await one(queue)).token, attempt()), true);
    const p2 = await one(queue);
    assert.equal(p2.entry.id, 'p2');
    assert.equal(await queue.purge(), 1);
    await fill(queue, ['p4'], 'p');
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.equal(await queue.acknowledge(p2.token), true);
    await leased(queue, ['p4']);
  });

  test('keeps first deliveries of each key in order, whatever happens to them', async () => {
    if (!hasKeys()) return;
    const queue = await now().queue();
    const names = Array.from({ length: 240 }, (_, i) => `${i}`);
    await Promise.all(names.map((name, i) => queue.put(entry(name, `k${i % 7}`))));
    const firsts = new Map<string, number[]>();
    let ended = 0;
    let turn = 0;
    await eventually(async () => {
      for (const { entry: got, token, delivery } of await queue.lease({ ...LEASE, max: 9, perKey: 2 })) {
        const seen = firsts.get(got.key) ?? [];
        firsts.set(got.key, seen);
        const isNew = !seen.includes(Number(got.id));
        if (isNew)
          assert.ok(
            seen.every((id) => id < Number(got.id)),
            `${got.id} after ${seen.join()}`,
          );
        if (isNew) seen.push(Number(got.id));
        turn += 1;
        if (turn % 3 === 0 && delivery < 3) await queue.reject(token, attempt(), 0);
        else if (turn % 5 === 0 && delivery < 3) await queue.release(token);
        else if (await queue.acknowledge(token)) ended += 1;
      }
      assert.equal(ended, 240);
    });
  });
}
