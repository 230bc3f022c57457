import assert from 'node:assert/strict';
import { Scope, silentLog, systemClock } from '../core';
import { eventually, startNatsServer, type NatsServer } from '../../test/helpers/nats-server';
import { failureOf } from '../../test/helpers/failure-of';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import type { Cluster, Held, SharedEntry } from './cluster';
import { memoryCluster } from './memory-cluster';
import { openNatsStore, type NatsStore } from './nats';

/** Two gateways of one cluster. */
interface Pair {
  readonly a: Cluster;
  readonly b: Cluster;
  /** Lets leases run out. */
  pass(ms: number): Promise<void>;
}

function clusterSuite(name: string, pair: () => Promise<Pair>): void {
  describe(`cluster: ${name}`, () => {
    let two: Pair;
    let lease = 0;
    beforeEach(async () => {
      two = await pair();
    });
    const fresh = (): string => `job/${(lease += 1)}.*> ☂`;
    const ask = (holder: string, ttlMs = 60_000) => ({ holder, ttlMs });

    it('gives a lease to one, and to the other once it is given back', async () => {
      const name = fresh();
      const held = await holding(two.a, name);
      assert.equal(await two.b.leases.acquire(name, ask('b')), undefined);
      assert.equal(await two.a.leases.acquire(name, ask('a')), undefined);
      assert.equal(await held.renew(), true);
      await held.release();
      assert.equal(held.lost.aborted, true);
      assert.equal(await held.renew(), false);
      const next = await holding(two.b, name);
      assert.ok(next.fence > held.fence);
      await held.release();
      assert.equal(await two.a.leases.acquire(name, ask('a')), undefined, 'an old holder frees nothing');
    });

    it('frees the lease of a holder that no longer renews, and tells the holder', async () => {
      const name = fresh();
      const held = await holding(two.a, name, 1_000);
      const before = await two.b.leases.acquire(name, ask('b', 1_000));
      assert.equal(before, undefined);
      let next: Held | undefined;
      await two.pass(1_000);
      await eventually(async () => (next = await two.b.leases.acquire(name, ask('b', 1_000))) !== undefined);
      assert.ok(next && next.fence > held.fence);
      assert.equal(await held.renew(), false);
      assert.equal(held.lost.reason?.code, 'LEASE_LOST');
    });

    it('keeps a lease that is renewed', async () => {
      const name = fresh();
      const held = await holding(two.a, name, 1_000);
      for (let i = 0; i < 5; i += 1) {
        await two.pass(400);
        assert.equal(await held.renew(), true);
        assert.equal(await two.b.leases.acquire(name, ask('b', 1_000)), undefined);
      }
      await held.release();
    });

    it('has one holder at any time, with a rising number, over many rounds', async () => {
      const name = fresh();
      let holders = 0;
      let last = 0;
      let rounds = 0;
      const contend = async (cluster: Cluster): Promise<void> => {
        while (rounds < 100) {
          const held = await cluster.leases.acquire(name, ask('x'));
          if (!held) continue;
          holders += 1;
          assert.equal(holders, 1);
          assert.ok(held.fence > last, `${held.fence} after ${last}`);
          last = held.fence;
          rounds += 1;
          assert.equal(await held.renew(), true);
          holders -= 1;
          await held.release();
        }
      };
      await Promise.all([contend(two.a), contend(two.b), contend(two.a), contend(two.b)]);
    });

    it('lets two gateways race for a hundred slots: each is won once', async () => {
      const name = fresh();
      const slots = Array.from({ length: 100 }, (_, slot) => slot);
      const race = (cluster: Cluster) =>
        Promise.all(slots.map((slot) => cluster.leases.acquire(`${name}/${slot}`, ask('x'))));
      const [a, b] = await Promise.all([race(two.a), race(two.b)]);
      for (const slot of slots) assert.equal([a[slot], b[slot]].filter(Boolean).length, 1, `slot ${slot}`);
    });

    it('shares state, and shows changes to who watches', async () => {
      const key = fresh();
      assert.equal(await two.a.shared.get(key), undefined);
      const first = await two.a.shared.put(key, { state: 'open', list: [1, null, 'ü'] });
      const seen: (SharedEntry | undefined)[] = [];
      const stop = await two.b.shared.watch(key, (entry) => void seen.push(entry));
      await eventually(async () => seen.length === 1);
      const second = await two.a.shared.put(key, 'closed');
      await eventually(async () => seen.length === 2);
      await two.a.shared.remove(key);
      await eventually(async () => seen.length === 3);
      assert.deepEqual(seen, [
        { value: { state: 'open', list: [1, null, 'ü'] }, revision: first },
        { value: 'closed', revision: second },
        undefined,
      ]);
      assert.ok(second > first);
      assert.equal(await two.b.shared.get(key), undefined);
      stop();
      await two.a.shared.put(key, 1);
      assert.deepEqual((await two.b.shared.get(key))?.value, 1);
      assert.equal(seen.length, 3);
    });

    it('refuses what it cannot hold', async () => {
      const codes = await Promise.all([
        failureOf(two.a.shared.put('x', 'x'.repeat(70_000))),
        failureOf(two.a.shared.put('', 1)),
        failureOf(two.a.leases.acquire('', ask('a'))),
        failureOf(two.a.leases.acquire('x'.repeat(201), ask('a'))),
        failureOf(two.a.leases.acquire('x', ask('a', 999))),
        failureOf(two.a.leases.acquire('x', ask('a', NaN))),
      ]);
      assert.deepEqual(
        codes.map(({ code }) => code),
        ['NOT_STORABLE', ...Array.from({ length: 5 }, () => 'BAD_CONFIG')],
      );
    });
  });
}

clusterSuite('memory', async () => {
  const clock = new VirtualClock();
  const cluster = memoryCluster(clock);
  return { a: cluster, b: cluster, pass: (ms) => clock.advance(ms) };
});

describe('NATS', () => {
  let server: NatsServer;
  let stores: NatsStore[] = [];
  before(async () => {
    server = await startNatsServer();
  });
  after(() => server.destroy());
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    stores = [];
  });

  const open = async (): Promise<NatsStore> => {
    const store = await openNatsStore({
      servers: [server.address],
      clock: systemClock,
      log: silentLog,
      name: 'test',
      lost: () => {},
      openTimeoutMs: 10_000,
      scope: new Scope(),
      replicas: 1,
    });
    stores.push(store);
    return store;
  };

  clusterSuite('NATS', async () => {
    const [one, two] = [await open(), await open()];
    // The server keeps the time; renewals on the way must only be often enough.
    return { a: one.cluster, b: two.cluster, pass: async () => {} };
  });

  it('frees the lease of a gateway that died, and its number rises', async () => {
    const [dying, other] = [await open(), await open()];
    const held = await holding(dying.cluster, 'died', 1_000);
    await dying.session.nc.close();
    assert.equal(await other.cluster.leases.acquire('died', { holder: 'b', ttlMs: 1_000 }), undefined);
    let next: Held | undefined;
    await eventually(
      async () =>
        (next = await other.cluster.leases.acquire('died', { holder: 'b', ttlMs: 1_000 })) !== undefined,
    );
    assert.ok(next && next.fence > held.fence);
    await eventually(async () => held.lost.aborted);
  });

  it('keeps a lease over the crash of the server, and its number rises', async () => {
    const held = await holding((await open()).cluster, 'crash', 30_000);
    await server.kill();
    await server.start();
    const after = await open();
    const asked = await after.cluster.leases.acquire('crash', { holder: 'b', ttlMs: 30_000 });
    assert.equal(asked, undefined);
    const next = await holding(after.cluster, 'other', 30_000);
    assert.ok(next.fence > held.fence);
  });
});

async function holding(cluster: Cluster, name: string, ttlMs = 60_000): Promise<Held> {
  const held = await cluster.leases.acquire(name, { holder: 'test', ttlMs });
  assert.ok(held, `nobody holds ${name}`);
  return held;
}
