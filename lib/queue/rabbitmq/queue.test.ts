import assert from 'node:assert/strict';
import { failureOf } from '../../../test/helpers/failure-of';
import { attempt, entry, OPTIONS, RabbitBed, until } from '../../../test/helpers/rabbit-bed';
import { VirtualClock } from '../../../test/helpers/virtual-clock';
import type { Leased, Queue } from '../types';

const LEASE = { max: 10, perKey: 10, visibilityMs: 30_000 };
const ids = (leased: readonly Leased[]): string[] => leased.map((one) => one.entry.id);

/** The one record of the next lease. */
async function one(queue: Queue): Promise<Leased> {
  const [leased] = await queue.lease({ ...LEASE, max: 1 });
  assert.ok(leased, 'nothing was leased');
  return leased;
}

describe('the queue on RabbitMQ', () => {
  let bed: RabbitBed;
  beforeEach(() => (bed = new RabbitBed()));
  afterEach(() => bed.dispose());

  it('takes no token of a released lease, also when the record is leased again', async () => {
    const queue = await (await bed.store()).open('again', OPTIONS);
    await queue.put(entry('a'));
    const before = await one(queue);
    assert.equal(await queue.release(before.token), true);
    const now = await one(queue);
    assert.equal(await queue.acknowledge(before.token), false);
    assert.equal(await queue.extend(before.token, 1000), false);
    assert.equal(await queue.acknowledge(now.token), true);
  });

  it('gives a record as it was put, in order, until it is acknowledged', async () => {
    const store = await bed.store();
    const queue = await store.open('plant/line-1', OPTIONS);
    const body = Buffer.from([0, 255, 13, 10]);
    const history = [{ ...attempt(), source: OPTIONS.owner }];
    const id = 'ü'.repeat(200);
    assert.equal(await queue.put({ id, key: 'pump 7', time: -5, body, history }), 'stored');
    for (const name of ['b', 'c']) await queue.put(entry(name));
    const leased = await queue.lease(LEASE);
    assert.deepEqual(ids(leased), [id, 'b', 'c']);
    const [first] = leased;
    assert.ok(first);
    assert.deepEqual(
      { ...first, token: '' },
      { entry: { id, key: 'pump 7', time: -5, body }, token: '', delivery: 1, history },
    );
    for (const { token } of leased) assert.equal(await queue.acknowledge(token), true);
    assert.equal(await queue.acknowledge(first.token), false);
    assert.deepEqual(await queue.lease(LEASE), []);
    const { waiting, totals } = await queue.stats();
    assert.deepEqual([waiting, totals.put, totals.acknowledged], [0, 3, 3]);
    await store.close();
    const again = await (await bed.store()).open('plant/line-1', OPTIONS);
    assert.deepEqual(await again.lease(LEASE), []);
  });

  it('gives each record to one of two gateways', async () => {
    const [a, b] = await Promise.all(
      [bed, bed].map(async (shared) => (await shared.store()).open('shared', OPTIONS)),
    );
    assert.ok(a && b);
    const names = Array.from({ length: 40 }, (_, i) => `r${i}`);
    await Promise.all(names.map((name) => a.put(entry(name))));
    const seen: string[] = [];
    const drain = async (queue: Queue): Promise<void> => {
      for (;;) {
        const leased = await queue.lease({ ...LEASE, max: 3 });
        if (leased.length === 0) return;
        seen.push(...ids(leased));
        for (const { token } of leased) assert.equal(await queue.acknowledge(token), true);
      }
    };
    await Promise.all([drain(a), drain(b)]);
    assert.deepEqual(seen.sort(), names.sort());
  });

  it('takes back what a gateway that was cut off had leased', async () => {
    const first = await bed.store();
    const queue = await first.open('cut', OPTIONS);
    await queue.put(entry('a'));
    await one(queue);
    await first.close();
    const again = await (await bed.store()).open('cut', OPTIONS);
    const back = await one(again);
    assert.deepEqual([back.entry.id, back.delivery], ['a', 2]);
    assert.equal((await failureOf(queue.put(entry('b')))).code, 'NOT_CONNECTED');
  });

  it('remembers failed attempts, and releases without counting', async () => {
    const queue = await (await bed.store()).open('back', OPTIONS);
    await queue.put(entry('a'));
    await queue.put(entry('b'));
    assert.equal(await queue.release((await one(queue)).token), true);
    const second = await one(queue);
    assert.deepEqual([second.entry.id, second.delivery], ['a', 1]);
    assert.equal(await queue.reject(second.token, attempt('no answer'), 0), true);
    const third = await one(queue);
    assert.deepEqual([third.entry.id, third.delivery, third.history], ['a', 2, [attempt('no answer')]]);
    assert.equal(await queue.reject(second.token, undefined, 0), false);
  });

  it('buries at the last delivery with the reason, and brings back what is asked for', async () => {
    const store = await bed.store();
    const queue = await store.open('limit', { ...OPTIONS, maxDeliveries: 2 });
    let died = 0;
    queue.listen({ died: (count) => (died += count) });
    for (const id of ['a', 'b']) {
      await queue.put(entry(id));
      await queue.reject((await one(queue)).token, attempt('first'), 0);
      await queue.reject((await one(queue)).token, attempt('second'), 0);
    }
    await queue.put(entry('c'));
    const refused = { ...attempt('refused'), kind: 'rejected', code: 'PEER_REJECTED' } as const;
    assert.equal(await queue.deadLetter((await one(queue)).token, refused), true);
    assert.deepEqual([died, (await queue.stats()).dead, (await queue.stats()).waiting], [3, 3, 0]);

    assert.equal(await queue.replay({ code: 'PEER_REJECTED', node: 'n1' }), 1);
    const c = await one(queue);
    assert.deepEqual([c.entry.id, c.delivery, c.history.map((x) => x.message)], ['c', 1, ['refused']]);
    assert.equal(await queue.replay({ queue: 'another' }), 0);
    assert.equal((await failureOf(queue.replay({ numbers: [1] }))).code, 'BAD_MESSAGE');
    assert.equal(await queue.replay({}), 2);
    const back = await queue.lease(LEASE);
    assert.deepEqual(ids(back), ['a', 'b']);
    assert.deepEqual(
      back[0]?.history.map((x) => x.message),
      ['first', 'second'],
    );
  });

  it('lets the broker bury a record whose gateways die with it', async () => {
    for (let i = 0; i < 2; i += 1) {
      const store = await bed.store();
      const queue = await store.open('poison', { ...OPTIONS, maxDeliveries: 2 });
      if (i === 0) await queue.put(entry('a'));
      assert.equal((await one(queue)).delivery, i + 1);
      await store.close();
    }
    const queue = await (await bed.store()).open('poison', { ...OPTIONS, maxDeliveries: 2 });
    await until(async () => ((await queue.stats()).dead === 1 ? true : undefined));
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.equal(await queue.replay({ code: 'DELIVERIES_EXHAUSTED' }), 1);
    assert.equal((await one(queue)).entry.id, 'a');
  });

  it('refuses when full, or drops the newest and counts it, or buries the oldest', async () => {
    const store = await bed.store();
    const reject = await store.open('full', { ...OPTIONS, maxRecords: 3 });
    for (const id of ['a', 'b', 'c']) assert.equal(await reject.put(entry(id)), 'stored');
    const failure = await failureOf(reject.put(entry('d')));
    assert.deepEqual([failure.kind, failure.code, failure.reached], ['throttled', 'QUEUE_FULL', false]);
    for (const { token } of await reject.lease(LEASE)) await reject.acknowledge(token);
    const stored = async (): Promise<true | undefined> =>
      (await reject.put(entry('e')).catch(() => 'full')) === 'stored' ? true : undefined;
    await until(stored); // RabbitMQ takes messages again in its own time.

    const newest = await store.open('newest', { ...OPTIONS, maxRecords: 2, whenFull: 'dropNewest' });
    let dropped = 0;
    newest.listen({ dropped: (count) => (dropped += count) });
    const results = [];
    for (const id of ['a', 'b', 'c']) results.push(await newest.put(entry(id)));
    assert.deepEqual([results, dropped], [['stored', 'stored', 'dropped'], 1]);
    assert.equal((await newest.stats()).totals.dropped.full, 1);

    const oldest = await store.open('oldest', { ...OPTIONS, maxRecords: 2, whenFull: 'dropOldest' });
    for (const id of ['a', 'b', 'c']) await oldest.put(entry(id));
    assert.deepEqual(ids(await oldest.lease(LEASE)), ['b', 'c']);
    await until(async () => ((await oldest.stats()).dead === 1 ? true : undefined));
  });

  it('buries what is too old', async () => {
    const queue = await (await bed.store()).open('old', { ...OPTIONS, maxAgeMs: 1 });
    await queue.put(entry('a'));
    await until(async () => ((await queue.stats()).dead === 1 ? true : undefined));
    assert.equal(await queue.replay({ code: 'QUEUE_FULL' }), 0);
    // What a replay passed over is there again in the broker's own time.
    await until(async () => ((await queue.replay({ code: 'EXPIRED' })) === 1 ? true : undefined));
  });

  it('names the difference of a queue that exists with other settings, and leaves it', async () => {
    const store = await bed.store();
    const queue = await store.open('fixed', { ...OPTIONS, maxRecords: 100 });
    await queue.put(entry('kept'));
    const failure = await failureOf(store.open('fixed', { ...OPTIONS, maxRecords: 50 }));
    assert.deepEqual([failure.kind, failure.code], ['config', 'BAD_CONFIG']);
    assert.match(failure.message, /"x-max-length" is 99 there and 49 here/);
    assert.equal((await failureOf(store.open('fixed', { ...OPTIONS, maxAgeMs: 5 }))).code, 'BAD_CONFIG');
    assert.equal((await one(queue)).entry.id, 'kept');
    assert.deepEqual(bed.lost, []);
  });

  it('refuses names and settings that RabbitMQ cannot keep', async () => {
    const store = await bed.store();
    for (const [name, more] of [
      ['', {}],
      ['a b', {}],
      ['x', { maxAgeMs: 5, whenOld: 'drop' }],
      ['x', { duplicateWindowMs: 5 }],
      ['x', { maxAgeMs: 2 ** 40 }],
    ] as const) {
      assert.equal((await failureOf(store.open(name, { ...OPTIONS, ...more }))).kind, 'config');
    }
    await store.open('x', OPTIONS);
    assert.deepEqual(await store.names(), ['x']);
  });

  it('ends the session once when a queue vanishes, and says so to a put before', async () => {
    const store = await bed.store();
    const queue = await store.open('gone', OPTIONS);
    await bed.other((channel) => channel.deleteQueue(bed.queue('gone')));
    const refused = await failureOf(queue.put(entry('a')));
    assert.deepEqual([refused.code, refused.reached], ['QUEUE_UNAVAILABLE', false]);
    const [taken, counted] = await Promise.all([failureOf(queue.lease(LEASE)), failureOf(queue.stats())]);
    assert.deepEqual([taken.kind, counted.kind, bed.lost.length], ['disconnected', 'disconnected', 1]);
    assert.equal((await failureOf(queue.put(entry('a')))).kind, 'disconnected');
  });

  it('reads what any program wrote, with bounds', async () => {
    const queue = await (await bed.store()).open('foreign', OPTIONS);
    await bed.other(async (channel) => {
      const headers = {
        'holdfast-key': { a: 1 },
        'holdfast-time': 'now',
        'holdfast-attempts': '[{"at":1,"kind":"constructor","code":"X"},{"__proto__":5},7]',
        'x-delivery-count': 'many',
      };
      channel.sendToQueue(bed.queue('foreign'), Buffer.from('x'), { messageId: 'm'.repeat(250), headers });
      await channel.waitForConfirms();
    });
    const first = await one(queue);
    assert.match(first.entry.id, /^[0-9a-f]{64}$/);
    assert.deepEqual([first.entry.key, first.entry.time, first.history], ['', 0, []]);
    await queue.reject(first.token, undefined, 0);
    assert.equal((await one(queue)).entry.id, first.entry.id);
  });

  it('empties the queue and counts it', async () => {
    const queue = await (await bed.store()).open('purged', OPTIONS);
    for (const id of ['a', 'b', 'c', 'd']) await queue.put(entry(id));
    const held = await one(queue);
    await queue.release((await one(queue)).token);
    assert.equal(await queue.purge(), 3);
    assert.equal(await queue.acknowledge(held.token), true);
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.equal((await queue.stats()).totals.dropped.purged, 3);
  });
});

describe('the leases on RabbitMQ', () => {
  let bed: RabbitBed;
  let clock: VirtualClock;
  let queue: Queue;
  beforeEach(async () => {
    clock = new VirtualClock();
    bed = new RabbitBed(undefined, clock);
    queue = await (await bed.store()).open('leases', { ...OPTIONS, ordered: true });
    for (const id of ['a', 'b']) await queue.put(entry(id));
  });
  afterEach(async () => {
    await bed.dispose();
    assert.equal(clock.pending, 0);
  });

  it('run out, are prolonged, and then the token is worthless', async () => {
    const first = await one(queue);
    await clock.advance(29_000);
    assert.equal(await queue.extend(first.token, 30_000), true);
    await clock.advance(29_000);
    assert.deepEqual(await queue.lease(LEASE), []);
    await clock.advance(1_000);
    assert.equal(await queue.acknowledge(first.token), false);
    assert.equal(await queue.extend(first.token, 30_000), false);
    const again = await one(queue);
    assert.deepEqual([again.entry.id, again.delivery], ['a', 2]);
  });

  it('hold a delayed record back, and the line behind it', async () => {
    await queue.reject((await one(queue)).token, attempt(), 5_000);
    assert.deepEqual(await queue.lease(LEASE), []);
    assert.deepEqual([(await queue.stats()).delayed, (await queue.stats()).waiting], [1, 1]);
    let ready = 0;
    queue.listen({ ready: () => (ready += 1) });
    await clock.advance(5_000);
    assert.equal(ready, 1);
    assert.deepEqual(ids(await queue.lease(LEASE)), ['a', 'b']);
  });

  it('give a record back before RabbitMQ would close the channel', async () => {
    const first = await one(queue);
    assert.equal(await queue.extend(first.token, 3_600_000), true);
    for (let minute = 0; minute < 24; minute += 1) {
      await clock.advance(60_000);
      assert.equal(await queue.extend(first.token, 3_600_000), true);
    }
    await clock.advance(60_000);
    assert.equal(await queue.extend(first.token, 3_600_000), false);
    assert.equal((await one(queue)).delivery, 2);
  });
});
