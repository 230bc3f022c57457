import assert from 'node:assert/strict';
import { type Failure, Scope, silentLog, systemClock } from '../../core';
import type { Attempt, Entry, Leased, Queue, QueueOptions } from '../types';
import { eventually, startNatsServer, type NatsServer } from '../../../test/helpers/nats-server';
import { failureOf } from '../../../test/helpers/failure-of';
import type { NatsOptions } from './options';
import { NatsQueue } from './queue';
import { remove as removeSeq } from './room';
import { openNatsStore, pingNats, type NatsStore } from './store';

const OWNER = { node: 'n1', name: 'orders', type: 'holdfast-queue', flow: 'Plant' };
const OPTIONS: QueueOptions = {
  owner: OWNER,
  ordered: false,
  maxRecords: 0,
  maxBytes: 0,
  maxAgeMs: 0,
  whenFull: 'reject',
  whenOld: 'deadLetter',
  maxDeliveries: 0,
  duplicateWindowMs: 0,
};
const LEASE = { max: 100, perKey: 100, visibilityMs: 60_000 };
const ATTEMPT: Attempt = { at: 5, kind: 'transient', code: 'PEER_ERROR', message: 'busy ☂' };

describe('queue on NATS JetStream', () => {
  let server: NatsServer;
  const stores: NatsStore[] = [];
  let queues = 0;

  before(async () => {
    server = await startNatsServer();
  });
  after(() => server.destroy());
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  const open = async (more: Partial<NatsOptions> = {}): Promise<NatsStore> => {
    const store = await openNatsStore({
      servers: [server.address],
      clock: systemClock,
      log: silentLog,
      name: 'test',
      lost: () => {},
      openTimeoutMs: 10_000,
      scope: new Scope(),
      replicas: 1,
      ...more,
    });
    stores.push(store);
    return store;
  };
  const fresh = (): string => `q.${(queues += 1)}/x`;

  it('keeps id, key, time, history and body exactly, whatever they hold', async () => {
    const queue = await (await open()).open(fresh(), OPTIONS);
    const body = Uint8Array.from({ length: 256 }, (_, i) => i);
    const entry: Entry = { id: ' a\r\nb\ud800"☂', key: 'k.*>', time: 12.5, body, history: [ATTEMPT] };
    assert.equal(await queue.put(entry), 'stored');
    const one = only(await queue.lease(LEASE));
    const { history, ...rest } = entry;
    assert.deepEqual({ ...one.entry, body: [...one.entry.body] }, { ...rest, body: [...body] });
    assert.deepEqual(one.history, history);
    assert.equal(one.delivery, 1);
    assert.equal(await queue.acknowledge(one.token), true);
    assert.equal(await queue.acknowledge(one.token), false);
    assert.deepEqual(await queue.lease(LEASE), []);
  });

  it('makes a dead letter with its history and brings it back with the same id', async () => {
    const store = await open();
    const name = fresh();
    const queue = await store.open(name, { ...OPTIONS, duplicateWindowMs: 60_000 });
    await queue.put(entryOf('a'));
    const first = only(await queue.lease(LEASE));
    assert.equal(await queue.reject(first.token, ATTEMPT, 0), true);
    const second = only(await queue.lease(LEASE));
    assert.deepEqual([second.delivery, second.history], [2, [ATTEMPT]]);
    const last: Attempt = { ...ATTEMPT, at: 9, kind: 'rejected', code: 'PEER_REJECTED', message: 'never' };
    assert.equal(await queue.deadLetter(second.token, last), true);
    const letter = only(await store.dead.list({ queue: name }, { after: 0, limit: 10 }));
    assert.deepEqual(
      [letter.id, letter.attempts, letter.firstAt, letter.lastAt, letter.code, letter.source],
      ['a', 2, 5, 9, 'PEER_REJECTED', OWNER],
    );
    assert.deepEqual((await store.dead.get(letter.number))?.history, [ATTEMPT, last]);
    assert.equal(await queue.put(entryOf('a')), 'duplicate');
    assert.equal(await queue.replay({}), 1);
    const back = only(await queue.lease(LEASE));
    assert.deepEqual([back.entry.id, back.delivery, back.history], ['a', 1, [ATTEMPT, last]]);
    assert.deepEqual(await store.dead.list({ queue: name }, { after: 0, limit: 10 }), []);
    const { totals } = await queue.stats();
    assert.deepEqual([totals.put, totals.died, totals.replayed, totals.duplicates], [2, 1, 1, 1]);
  });

  it('purges also where what it gave back has ended meanwhile', async () => {
    const queue = await (await open()).open(fresh(), OPTIONS);
    for (const id of ['a', 'b']) await queue.put(entryOf(id));
    const [a, b] = await queue.lease(LEASE);
    assert.equal(await queue.release(a?.token ?? ''), true);
    assert.equal(await remove(queue, 1), true);
    // Gone already.
    assert.equal(await remove(queue, 1), false);
    assert.equal(await queue.acknowledge(b?.token ?? ''), true);
    assert.equal(await remove(queue, 2), false);
    assert.equal(await queue.purge(), 0);
  });

  it('does not count a delivery that was released', async () => {
    const queue = await (await open()).open(fresh(), OPTIONS);
    await queue.put(entryOf('a'));
    for (let i = 0; i < 3; i += 1) {
      const one = only(await queue.lease(LEASE));
      assert.equal(one.delivery, 1);
      assert.equal(await queue.release(one.token), true);
    }
  });

  it('dead-letters a record whose last delivery ended without an answer', async () => {
    const store = await open();
    const name = fresh();
    const queue = await store.open(name, { ...OPTIONS, maxDeliveries: 2 });
    await queue.put(entryOf('a'));
    await eventually(async () => {
      await queue.lease({ ...LEASE, visibilityMs: 1 });
      return (await store.dead.list({ queue: name }, { after: 0, limit: 1 })).length === 1;
    });
    const letter = only(await store.dead.list({ queue: name }, { after: 0, limit: 1 }));
    assert.deepEqual([letter.code, letter.attempts], ['DELIVERIES_EXHAUSTED', 2]);
    assert.equal((await queue.stats()).waiting, 0);
  });

  it('in one line, hands out nothing while a record is out or delayed', async () => {
    const queue = await (await open()).open(fresh(), { ...OPTIONS, ordered: true });
    for (const id of ['a', 'b', 'c']) await queue.put(entryOf(id));
    const a = only(await queue.lease(LEASE));
    assert.deepEqual(await queue.lease(LEASE), []);
    await queue.reject(a.token, ATTEMPT, 200);
    assert.deepEqual(await queue.lease(LEASE), []);
    for (const id of ['a', 'b', 'c']) {
      let got: readonly Leased[] = [];
      await eventually(async () => (got = await queue.lease(LEASE)).length > 0);
      assert.equal(only(got).entry.id, id);
      await queue.acknowledge(only(got).token);
    }
  });

  it('says what differs from the stream that exists, and changes nothing', async () => {
    const store = await open();
    const name = fresh();
    await store.open(name, { ...OPTIONS, maxRecords: 10 });
    const failure = await failureOf(store.open(name, { ...OPTIONS, maxRecords: 20, ordered: true }));
    assert.deepEqual([failure.kind, failure.code], ['config', 'BAD_CONFIG']);
    assert.match(failure.message, /max_msgs is 10 where this node asks for 20/);
    await store.open(name, { ...OPTIONS, maxRecords: 10 });
  });

  it('rejects, drops the newest or the oldest when full, and counts it', async () => {
    const store = await open();
    const results: unknown[] = [];
    for (const whenFull of ['reject', 'dropNewest', 'dropOldest'] as const) {
      const queue = await store.open(fresh(), { ...OPTIONS, maxRecords: 2, whenFull });
      await queue.put(entryOf('a'));
      await queue.put(entryOf('b'));
      const third = await queue.put(entryOf('c')).catch((error: unknown) => (error as Failure).code);
      const left = (await queue.lease(LEASE)).map(({ entry }) => entry.id).join('');
      const { totals } = await queue.stats();
      results.push([third, left, totals.put, totals.dropped.full, totals.acknowledged]);
    }
    assert.deepEqual(results, [
      ['QUEUE_FULL', 'ab', 2, 0, 0],
      ['dropped', 'ab', 3, 1, 0],
      ['stored', 'bc', 3, 1, 0],
    ]);
  });

  it('drops the oldest that nobody has leased', async () => {
    const queue = await (await open()).open(fresh(), { ...OPTIONS, maxRecords: 2, whenFull: 'dropOldest' });
    await queue.put(entryOf('a'));
    await queue.put(entryOf('b'));
    const a = only(await queue.lease({ ...LEASE, max: 1 }));
    assert.equal(await queue.put(entryOf('c')), 'stored');
    assert.equal(await queue.acknowledge(a.token), true);
    assert.equal(only(await queue.lease(LEASE)).entry.id, 'c');
  });

  it('inspects without consuming', async () => {
    const queue = await (await open()).open(fresh(), OPTIONS);
    for (const id of ['a', 'b', 'c', 'd']) await queue.put(entryOf(id));
    const [, b] = await queue.lease({ ...LEASE, max: 2 });
    await queue.reject(b?.token ?? '', ATTEMPT, 60_000);
    const all = await queue.inspect({ after: 0, limit: 3 });
    assert.deepEqual(
      all.map(({ id, state, delivery }) => [id, state, delivery]),
      [
        ['a', 'leased', 1],
        ['b', 'delayed', 1],
        ['c', 'waiting', 0],
      ],
    );
    const rest = await queue.inspect({ after: all.at(-1)?.position ?? 0, limit: 3 });
    assert.deepEqual(
      rest.map(({ id }) => id),
      ['d'],
    );
    const { waiting, leased, delayed } = await queue.stats();
    assert.deepEqual([waiting, leased, delayed], [2, 1, 1]);
  });

  it('ends old records as asked, also when nobody takes any', async () => {
    const store = await open();
    for (const whenOld of ['deadLetter', 'drop'] as const) {
      const name = fresh();
      const queue = await store.open(name, { ...OPTIONS, maxAgeMs: 300, whenOld });
      await queue.put(entryOf('a'));
      await eventually(async () => (await queue.stats()).waiting === 0);
      await eventually(async () => {
        const { totals } = await queue.stats();
        return (whenOld === 'drop' ? totals.dropped.old : totals.died) === 1;
      });
      const dead = await store.dead.list({ queue: name }, { after: 0, limit: 9 });
      assert.deepEqual(
        dead.map(({ code }) => code),
        whenOld === 'drop' ? [] : ['EXPIRED'],
      );
    }
  });

  it("moves what reached a delivery limit of the server's to the dead letters", async () => {
    const store = await open();
    const name = fresh();
    let queue = await store.open(name, OPTIONS);
    const { stream, consumer } = (
      queue as unknown as { bed: { names: { stream: string; consumer: string } } }
    ).bed.names;
    await store.session.jsm.consumers.update(stream, consumer, { max_deliver: 1 });
    queue = await store.open(name, OPTIONS);
    await queue.put(entryOf('a'));
    await queue.reject(only(await queue.lease(LEASE)).token, ATTEMPT, 0);
    await eventually(async () => {
      assert.deepEqual(await queue.lease(LEASE), []);
      return (await store.dead.list({ queue: name }, { after: 0, limit: 9 })).length === 1;
    });
    const letter = only(await store.dead.list({ queue: name }, { after: 0, limit: 9 }));
    assert.deepEqual([letter.id, letter.code], ['a', 'DELIVERIES_EXHAUSTED']);
    await eventually(async () => (await queue.stats()).waiting === 0);
  });

  it('purges what is not leased, names its queues and answers a ping', async () => {
    const store = await open();
    const name = fresh();
    const queue = await store.open(name, OPTIONS);
    for (const id of ['a', 'b', 'c']) await queue.put(entryOf(id));
    const a = only(await queue.lease({ ...LEASE, max: 1 }));
    assert.equal(await queue.purge(), 2);
    assert.equal(await queue.acknowledge(a.token), true);
    const { totals } = await queue.stats();
    assert.deepEqual([totals.put, totals.acknowledged, totals.dropped.purged], [3, 1, 2]);
    assert.ok((await store.names()).includes(name));
    await pingNats(store);
  });

  it('replays into a queue that no node has opened yet', async () => {
    const store = await open();
    const name = fresh();
    const number = await store.dead.add(name, entryOf('a'), OWNER, [ATTEMPT], 1);
    assert.equal(await store.dead.replay({ numbers: [number] }, Buffer.from('edited')), 1);
    const queue = await store.open(name, { ...OPTIONS, maxRecords: 7 });
    const one = only(await queue.lease(LEASE));
    assert.deepEqual([one.entry.id, Buffer.from(one.entry.body).toString()], ['a', 'edited']);
  });

  it('tells listeners here and on another gateway', async () => {
    const name = fresh();
    const [here, there] = [
      await (await open()).open(name, OPTIONS),
      await (await open()).open(name, OPTIONS),
    ];
    const heard = { here: 0, there: 0, died: 0 };
    here.listen({ ready: () => void (heard.here += 1) });
    there.listen({ ready: () => void (heard.there += 1), died: (count) => void (heard.died += count) });
    await pingNats(stores[1] as NatsStore);
    await here.put(entryOf('a'));
    await eventually(async () => heard.here > 0 && heard.there > 0);
    await here.deadLetter(only(await here.lease(LEASE)).token, ATTEMPT);
    await eventually(async () => heard.died === 1);
  });

  it('tells of new dead letters of every gateway', async () => {
    const name = fresh();
    const [watcher, other] = [await open(), await open()];
    const seen: string[] = [];
    watcher.dead.onAdded((letter) => void seen.push(`${letter.queue} ${letter.id} ${letter.bytes}`));
    await eventually(async () => {
      await other.dead.add(name, entryOf('a'), OWNER, [ATTEMPT], 1);
      return seen.length > 0;
    });
    assert.equal(seen[0], `${name} a 6`);
  });
});

function entryOf(id: string): Entry {
  return { id, key: '', time: 1, body: Buffer.from(`body-${id}`) };
}

function only<T>(list: readonly T[]): T {
  const [one] = list;
  assert.equal(list.length, 1);
  return one as T;
}

/** What the store does with a record at a position that may have ended. */
function remove(queue: Queue, seq: number): Promise<boolean> {
  assert.ok(queue instanceof NatsQueue);
  return removeSeq(queue.bed, seq);
}
