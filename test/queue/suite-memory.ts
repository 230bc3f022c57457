/** The memory of keys, where a store has one. */
import assert from 'node:assert/strict';
import type { KeyMemory } from '../../lib/queue';
import { failureOf } from '../helpers/failure-of';
import type { Now, Test } from './suite';

const HOUR_MS = 3_600_000;

export function memoryTests(test: Test, now: Now): void {
  const memory = async (windowMs = HOUR_MS, maxKeys = 1_000): Promise<KeyMemory | undefined> =>
    now().store.keys?.('seen', { windowMs, maxKeys });

  test('knows a key until it is forgotten', async () => {
    const keys = await memory();
    if (!keys) return assert.equal(now().store.keys, undefined);
    for (const key of ['a', ' ', '__proto__', 'ü'.repeat(200)]) {
      assert.equal(await keys.claim(key), true);
      assert.equal(await keys.claim(key), false);
    }
    assert.equal(await keys.size(), 4);
    await keys.forget('a');
    await keys.forget('never seen');
    assert.equal(await keys.claim('a'), true);
    await keys.clear();
    assert.deepEqual([await keys.size(), await keys.claim('a')], [0, true]);
    return undefined;
  });

  test('gives a key to one of those who claim it at once', async () => {
    const keys = await memory();
    if (!keys) return;
    const claims = await Promise.all(Array.from({ length: 50 }, () => keys.claim('a')));
    assert.equal(claims.filter(Boolean).length, 1);
  });

  test('forgets after its window, which asking does not prolong', async () => {
    const keys = await memory(1_000);
    if (!keys || !now().bed.virtualTime) return;
    assert.equal(await keys.claim('a'), true);
    await now().pass(999);
    assert.equal(await keys.claim('a'), false);
    await now().pass(1);
    assert.equal(await keys.claim('a'), true);
    await now().pass(999);
    assert.equal(await keys.claim('a'), false);
  });

  test('lets the oldest keys make room', async () => {
    const keys = await memory(HOUR_MS, 3);
    if (!keys) return;
    for (const key of ['a', 'b', 'c', 'd']) {
      assert.equal(await keys.claim(key), true);
      await now().pass(1);
    }
    assert.equal(await keys.size(), 3);
    assert.deepEqual([await keys.claim('b'), await keys.claim('d')], [false, false]);
    assert.equal(await keys.claim('a'), true);
    assert.equal(await keys.claim('b'), true);
  });

  test('refuses what is no key', async () => {
    const keys = await memory();
    if (!keys) return;
    for (const key of ['', 'x'.repeat(1_001)])
      assert.equal((await failureOf(keys.claim(key))).kind, 'rejected');
    assert.equal(await keys.size(), 0);
  });

  test('remembers across a restart', async () => {
    const keys = await memory();
    if (!keys || !now().store.capabilities.durable) return;
    assert.equal(await keys.claim('a'), true);
    await now().reopen();
    assert.equal(await (await memory())?.claim('a'), false);
  });
}
