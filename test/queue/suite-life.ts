/** What goes in and out: exactness, order, names, listeners, counts, closing, surviving. */
import assert from 'node:assert/strict';
import { failureOf } from '../helpers/failure-of';
import { attempt, entry, eventually, fill, ids, LEASE, leased, one, OPTIONS, OWNER } from './bed';
import type { Now, Test } from './suite';

export function lifeTests(test: Test, now: Now): void {
  test('gives a record back exactly as it was put', async () => {
    const queue = await now().queue();
    const body = Uint8Array.from({ length: 256 }, (_, i) => i);
    const history = [{ ...attempt('☂ busy'), source: OWNER }];
    const given = { id: 'ü".*> '.repeat(33), key: 'line 1/☂', time: -12.5, body, history };
    assert.equal(await queue.put(given), 'stored');
    const found = await one(queue);
    assert.deepEqual(Buffer.from(found.entry.body), Buffer.from(body));
    const { id, key, time } = found.entry;
    assert.deepEqual([id, key, time], [given.id, given.key, given.time]);
    assert.deepEqual([found.delivery, found.history], [1, history]);
    assert.equal(await queue.acknowledge(found.token), true);
  });

  test('keeps what it was given although the giver changes it afterwards', async () => {
    const queue = await now().queue();
    const body = Buffer.from('before');
    const put = queue.put({ ...entry('a'), body });
    await put;
    body.fill('x');
    assert.equal(Buffer.from((await one(queue)).entry.body).toString(), 'before');
  });

  test('gives the oldest first, and never more than was asked for', async () => {
    const queue = await now().queue();
    const names = Array.from({ length: 30 }, (_, i) => `r${i}`);
    await fill(queue, names);
    const first = await leased(queue, names.slice(0, 7), { ...LEASE, max: 7 });
    const second = await leased(queue, names.slice(7, 8), { ...LEASE, max: 1 });
    const rest = await leased(queue, names.slice(8));
    for (const { token } of [...first, ...second, ...rest])
      assert.equal(await queue.acknowledge(token), true);
    assert.deepEqual(await queue.lease(LEASE), []);
  });

  test('gives nothing when there is nothing, and nothing when nothing was asked for', async () => {
    const queue = await now().queue();
    assert.deepEqual(await queue.lease(LEASE), []);
    await fill(queue, ['a']);
    assert.deepEqual(await queue.lease({ ...LEASE, max: 0 }), []);
    assert.deepEqual(ids(await leased(queue, ['a'])), ['a']);
  });

  test('stores a thousand puts at once, each once', async () => {
    const queue = await now().queue();
    const names = Array.from({ length: 1_000 }, (_, i) => `r${i}`);
    const results = await Promise.all(names.map((name) => queue.put(entry(name))));
    assert.ok(results.every((result) => result === 'stored'));
    const seen: string[] = [];
    await eventually(async () => {
      const found = await queue.lease({ ...LEASE, max: 300, perKey: 300 });
      await Promise.all(found.map(async ({ token }) => assert.equal(await queue.acknowledge(token), true)));
      seen.push(...ids(found));
      assert.ok(seen.length >= names.length, `${seen.length} came`);
    });
    assert.deepEqual(seen.sort(), names.sort());
    assert.equal((await queue.stats()).totals.acknowledged, 1_000);
  });

  test('carries empty and large bodies', async () => {
    const queue = await now().queue();
    const large = Buffer.alloc(now().bed.largestBody ?? 5_000_000, 'large body ');
    await queue.put({ ...entry('empty'), body: new Uint8Array(0) });
    await queue.put({ ...entry('large'), body: large });
    const [first, second] = await leased(queue, ['empty', 'large']);
    assert.equal(first?.entry.body.byteLength, 0);
    assert.ok(large.equals(second?.entry.body ?? new Uint8Array(0)));
  });

  test('refuses what is no entry, with a sentence', async () => {
    const queue = await now().queue();
    const wrong = [
      { ...entry('a'), id: '' },
      { ...entry('a'), id: 'x'.repeat(201) },
      { ...entry('a'), key: 'x'.repeat(201) },
      { ...entry('a'), time: NaN },
    ];
    for (const one of wrong) {
      const failure = await failureOf(queue.put(one));
      assert.deepEqual([failure.kind, failure.reached], ['rejected', false]);
    }
    assert.equal((await queue.stats()).totals.put, 0);
  });

  test('takes every name that is allowed, keeps them apart, and refuses others', async () => {
    const { store } = now();
    const names = ['a', 'A', 'a.b', 'a/b', 'a-b', 'a_b', '../x', '..', '0', 'n'.repeat(100)];
    for (const name of names) await fill(await now().queue({}, name), [`in ${name}`]);
    for (const name of names) await leased(await store.open(name, OPTIONS), [`in ${name}`]);
    const known = await store.names();
    for (const name of names) assert.ok(known.includes(name), name);
    for (const name of ['', 'n'.repeat(101), 'a b', 'ä', 'a*', 'a>', "a'; DROP TABLE x", 'a\0', 'a\n']) {
      const failure = await failureOf(store.open(name, OPTIONS));
      assert.deepEqual([failure.kind, failure.reached], ['config', false], name);
    }
  });

  test('counts what waits, is leased, is delayed, and how much it is', async () => {
    const { capabilities } = now().store;
    const queue = await now().queue();
    assert.deepEqual(await queue.stats(), {
      waiting: 0,
      leased: 0,
      delayed: 0,
      dead: 0,
      bytes: 0,
      oldestMs: 0,
      totals: {
        put: 0,
        acknowledged: 0,
        died: 0,
        replayed: 0,
        dropped: { full: 0, old: 0, purged: 0 },
        duplicates: 0,
      },
    });
    for (const name of ['a', 'b', 'c', 'd']) await queue.put(entry(name, '', '12345'));
    await now().pass(1_000);
    const [a, b] = await leased(queue, ['a', 'b'], { ...LEASE, max: 2 });
    assert.ok(a && b);
    assert.equal(await queue.reject(b.token, attempt(), 60_000), true);
    await eventually(async () => {
      const { waiting, leased: out, delayed, bytes, oldestMs, totals } = await queue.stats();
      assert.deepEqual([waiting, out + delayed, totals.put], [2, 2, 4]);
      if (now().bed.bytes === 'stored') assert.ok(bytes >= 20);
      else assert.equal(bytes, now().bed.bytes === 'held' ? 10 : 20);
      if (capabilities.delay && !capabilities.shared) assert.deepEqual([out, delayed], [1, 1]);
      if (now().bed.virtualTime) assert.equal(oldestMs, 1_000);
      else assert.ok(oldestMs >= 0);
    });
  });

  test('tells when something may be leased, until the listener is removed', async () => {
    const queue = await now().queue();
    let told = 0;
    const stop = queue.listen({ ready: () => (told += 1) });
    await fill(queue, ['a']);
    await eventually(() => assert.ok(told > 0));
    const { token } = await one(queue);
    told = 0;
    await queue.release(token);
    await eventually(() => assert.ok(told > 0));
    stop();
    stop();
    told = 0;
    await fill(queue, ['b']);
    await leased(queue, ['a', 'b']);
    assert.equal(told, 0);
  });

  test('removes by purge what is not leased, and counts it', async () => {
    const queue = await now().queue();
    await fill(queue, ['a', 'b', 'c']);
    const { token } = await one(queue);
    assert.equal(await queue.purge(), 2);
    assert.equal(await queue.acknowledge(token), true);
    await eventually(async () => {
      const { waiting, totals } = await queue.stats();
      assert.deepEqual([waiting, totals.dropped.purged, totals.acknowledged], [0, 2, 1]);
    });
    await fill(queue, ['d']);
    await leased(queue, ['d']);
  });

  test('shows its records page by page, or says that it cannot', async () => {
    const queue = await now().queue();
    await fill(queue, ['a', 'b', 'c']);
    if (!now().store.capabilities.inspect) {
      const shown = await queue.inspect({ after: 0, limit: 10 }).catch(() => []);
      return assert.deepEqual(shown, []);
    }
    await leased(queue, ['a'], { ...LEASE, max: 1 });
    const first = await queue.inspect({ after: 0, limit: 2 });
    assert.deepEqual(
      first.map(({ id, state, delivery, bytes, time }) => [id, state, delivery, bytes, time]),
      [
        ['a', 'leased', 1, 9, 1_767_225_600_000],
        ['b', 'waiting', 0, 9, 1_767_225_600_000],
      ],
    );
    const rest = await queue.inspect({ after: first[1]?.position ?? 0, limit: 10 });
    assert.deepEqual(
      rest.map(({ id }) => id),
      ['c'],
    );
    assert.deepEqual(await queue.inspect({ after: 0, limit: 0 }), []);
  });

  test('gives back on close what the handle had leased, and does no more', async () => {
    const queue = await now().queue();
    await fill(queue, ['a', 'b']);
    const held = await one(queue);
    await queue.close();
    await queue.close();
    for (const use of [
      queue.put(entry('c')),
      queue.lease(LEASE),
      queue.acknowledge(held.token),
      queue.stats(),
    ])
      assert.equal((await failureOf(use)).reached, false);
    const again = await now().again(queue);
    const [first] = await leased(again, ['a', 'b']);
    if (!now().store.capabilities.shared) assert.equal(first?.delivery, 1);
  });

  test('refuses everything once the store is closed, and closes twice without harm', async () => {
    const { store } = now();
    const queue = await now().queue();
    await fill(queue, ['a']);
    await store.close();
    await store.close();
    now().closed();
    for (const use of [queue.put(entry('b')), queue.lease(LEASE), store.open('x', OPTIONS)])
      assert.equal((await failureOf(use)).reached, false);
  });

  test('keeps records, order, histories and totals across a restart', async () => {
    if (!now().store.capabilities.durable) return assert.equal(now().bed.reopen, undefined);
    const before = await now().queue();
    await fill(before, ['a', 'b', 'c', 'd']);
    const [a, b] = await leased(before, ['a', 'b'], { ...LEASE, max: 2 });
    assert.ok(a && b);
    assert.equal(await before.acknowledge(a.token), true);
    assert.equal(await before.reject(b.token, attempt(), 0), true);
    await now().reopen();
    const queue = await now().again(before);
    assert.equal(await queue.acknowledge(b.token), false);
    const [first] = await leased(queue, ['b', 'c', 'd']);
    assert.equal(first?.delivery, 2);
    if (now().bed.totalsOfHandle) return undefined;
    assert.deepEqual(first.history, [attempt()]);
    const { totals } = await queue.stats();
    assert.deepEqual([totals.put, totals.acknowledged], [4, 1]);
    return undefined;
  });
}
