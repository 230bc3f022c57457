import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFailure } from '../../core';
import { Bed, drain, entry, failed, fill, ids, plain, take, until } from './bed.test';
import { lockName, takeLock } from './folder';

describe('file store', () => {
  let bed: Bed;
  beforeEach(() => (bed = new Bed()));
  afterEach(() => bed.end());

  it('keeps records, order, deliveries and totals over a restart', async () => {
    let store = await bed.store();
    let queue = await store.open('a', plain);
    await fill(queue, 5);
    const [first, second] = await take(queue, 2);
    assert.ok(first && second);
    await queue.acknowledge(first.token);
    await queue.reject(second.token, failed, 0);
    await store.close();

    store = await bed.store();
    queue = await store.open('a', plain);
    const leased = await take(queue, 10);
    assert.deepEqual(ids(leased), ['1', '2', '3', '4']);
    assert.deepEqual(
      leased.map(({ delivery }) => delivery),
      [2, 1, 1, 1],
    );
    assert.deepEqual(leased[0]?.history, [failed]);
    assert.equal(Buffer.from(leased[1]?.entry.body ?? []).toString(), 'body of 2');
    const { totals } = await queue.stats();
    assert.equal(totals.put, 5);
    assert.equal(totals.acknowledged, 1);
    assert.equal(await queue.acknowledge(second.token), false, 'a token of an earlier opening is worthless');
  });

  it('never gives a position twice, also when the queue was emptied in between', async () => {
    let store = await bed.store();
    let queue = await store.open('a', plain);
    await fill(queue, 3);
    await drain(queue);
    await store.close();
    store = await bed.store();
    queue = await store.open('a', plain);
    await queue.put(entry('x'));
    assert.equal((await queue.inspect({ after: 0, limit: 10 }))[0]?.position, 4);
  });

  it('refuses a second store on the same file and names it', async () => {
    const store = await bed.store();
    const refusal = (error: unknown): boolean =>
      isFailure(error) && error.code === 'QUEUE_LOCKED' && error.message.includes(bed.path);
    await assert.rejects(bed.store(), refusal);
    assert.throws(() => takeLock(bed.path), { errcode: 5 }, 'also while the file itself is being replaced');
    await store.close();
    await (await bed.store()).close();
  });

  it('refuses another process, until this one has closed', async () => {
    const store = await bed.store();
    const other = (): string => {
      const code = `const { openFileStore } = require('./store.ts'); const { systemClock, silentLog } = require('../../core');
        openFileStore({ path: ${JSON.stringify(bed.path)}, clock: systemClock, log: silentLog })
          .then(async (s) => { await s.close(); console.log('opened'); }, (e) => console.log(e.code));`;
      const run = spawnSync(process.execPath, ['--require', require.resolve('tsx/cjs'), '-e', code], {
        cwd: __dirname,
        encoding: 'utf8',
      });
      return run.stdout.trim();
    };
    assert.equal(other(), 'QUEUE_LOCKED');
    await store.close();
    assert.equal(other(), 'opened');
  });

  it('opens although the lock file holds garbage', async () => {
    await (await bed.store()).close();
    writeFileSync(lockName(bed.path), 'x'.repeat(5000));
    await (await bed.store()).close();
  });

  it('makes its folder and files for their owner only', async () => {
    const store = await bed.store();
    const queue = await store.open('a', plain);
    await queue.put(entry('1'));
    const mode = (path: string): number => statSync(path).mode & 0o777;
    assert.equal(mode(join(bed.folder, 'store')), 0o700);
    for (const file of [bed.path, `${bed.path}-wal`, lockName(bed.path)])
      assert.equal(mode(file), 0o600, file);
    await store.close();
    assert.ok(!existsSync(`${bed.path}-wal`), 'closing brings the log into the file');
  });

  it('says what to check when the folder cannot be made', async () => {
    writeFileSync(join(bed.folder, 'store'), 'a file where the folder belongs');
    await assert.rejects(bed.store(), (error) => isFailure(error) && error.code === 'QUEUE_UNAVAILABLE');
    chmodSync(bed.folder, 0o700);
  });

  it('takes hostile names and texts for what they are', async () => {
    const store = await bed.store();
    for (const name of ['', '../x y', "a'; DROP TABLE queues;--", 'ä', 'x'.repeat(101), 'a\0b']) {
      await assert.rejects(store.open(name, plain), (error) => isFailure(error) && error.kind === 'config');
    }
    const queue = await store.open('../../etc/passwd', plain);
    const wild = ["k'; DROP TABLE q1;--", 'a\0b', 'a\0c', '__proto__', 'ключ 🔑', '"'];
    for (const text of wild) await queue.put(entry(text, text));
    const leased = await queue.lease({ max: 10, perKey: 1, visibilityMs: 1000 });
    assert.deepEqual(ids(leased), wild, 'every key is one of its own');
    assert.deepEqual(
      leased.map(({ entry: { key } }) => key),
      wild,
    );
    await queue.deadLetter(leased[1]?.token ?? '', failed);
    assert.equal((await store.dead?.list({ key: 'a\0b' }, { after: 0, limit: 9 }))?.[0]?.id, 'a\0b');
    await assert.rejects(
      queue.put(entry('\ud800')),
      (error) => isFailure(error) && error.code === 'BAD_MESSAGE',
    );
  });

  it('counts a delivery for exactly the records that were out when the process died', async () => {
    const store = await bed.store();
    const queue = await store.open('a', plain);
    await fill(queue, 6);
    const leased = await take(queue, 4);
    await queue.acknowledge(leased[0]?.token ?? '');
    await queue.release(leased[1]?.token ?? '');
    const copy = new Bed();
    try {
      // What a crash leaves: the file and its log as they are now.
      const fresh = await copy.store();
      await fresh.close();
      for (const part of ['', '-wal']) writeFileSync(copy.path + part, readFileSync(bed.path + part));
      const again = await (await copy.store()).open('a', { ...plain, maxDeliveries: 1 });
      const found = await take(again, 10);
      assert.deepEqual(ids(found), ['1', '4', '5'], 'those that killed the process are given up');
      const died = await again.inspect({ after: 0, limit: 10 });
      assert.equal(died.length, 3);
      const { totals } = await again.stats();
      assert.equal(totals.died, 2);
    } finally {
      await copy.end();
    }
  });

  it('ages by the time the store was open, whatever the wall clock does', async () => {
    const options = { ...plain, maxAgeMs: 10_000 };
    let store = await bed.store();
    let queue = await store.open('a', options);
    await queue.put(entry('1'));
    await bed.clock.advance(6000);
    bed.clock.jump(-20 * 365 * 86_400_000);
    await store.close();
    bed.clock.jump(40 * 365 * 86_400_000);
    // A new process begins its monotonic clock anew.
    store = await bed.store(new (bed.clock.constructor as new () => typeof bed.clock)());
    queue = await store.open('a', options);
    const stats = await queue.stats();
    assert.equal(stats.waiting, 1);
    assert.equal(stats.oldestMs, 6000);
  });

  it('gives up what is too old, and tells it', async () => {
    const store = await bed.store();
    const queue = await store.open('a', { ...plain, maxAgeMs: 10_000 });
    let died = 0;
    queue.listen({ died: (count) => void (died += count) });
    await fill(queue, 3);
    const [held] = await take(queue, 1);
    await queue.stats();
    await bed.clock.advance(9999);
    assert.equal((await queue.stats()).waiting, 2);
    await bed.clock.advance(1);
    await until(() => died === 2);
    const stats = await queue.stats();
    assert.deepEqual([stats.waiting, stats.leased, stats.dead], [0, 1, 2], 'a leased one is left alone');
    await queue.release(held?.token ?? '');
    await until(() => died === 3);
  });

  it('wakes its users when a lease runs out, and not before', async () => {
    const store = await bed.store();
    const queue = await store.open('a', plain);
    await queue.put(entry('1'));
    await take(queue, 1, 5000);
    let ready = 0;
    queue.listen({ ready: () => void (ready += 1) });
    await bed.clock.advance(4999);
    assert.deepEqual(ids(await take(queue, 1)), []);
    assert.equal(ready, 0);
    await bed.clock.advance(2);
    await until(() => ready > 0);
    const [again] = await take(queue, 1);
    assert.equal(again?.delivery, 2);
  });

  it('leaves no timer behind when it closes', async () => {
    const store = await bed.store();
    const queue = await store.open('a', { ...plain, maxAgeMs: 1000 });
    await fill(queue, 3);
    await take(queue, 1);
    await store.close();
    assert.equal(bed.clock.pending, 0);
    await assert.rejects(queue.put(entry('x')), isFailure);
  });

  it('finishes what was asked before it closes', async () => {
    let store = await bed.store();
    const queue = await store.open('a', plain);
    const puts = Promise.all(Array.from({ length: 3000 }, (_, i) => queue.put(entry(String(i)))));
    await store.close();
    await puts;
    store = await bed.store();
    assert.equal((await (await store.open('a', plain)).stats()).waiting, 3000);
  });
});
