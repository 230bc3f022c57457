import assert from 'node:assert/strict';
import { Scope, silentLog, systemClock, type Failure } from '../../core';
import { failureOf } from '../../../test/helpers/failure-of';
import { eventually, startNatsServer, type NatsServer } from '../../../test/helpers/nats-server';
import type { Queue, QueueOptions } from '../types';
import { openNatsStore, type NatsStore } from './store';
import type { NatsOptions } from './options';

const OPTIONS: QueueOptions = {
  owner: { node: 'n1', name: 'orders', type: 'holdfast-queue', flow: '' },
  ordered: false,
  maxRecords: 0,
  maxBytes: 0,
  maxAgeMs: 0,
  whenFull: 'reject',
  whenOld: 'deadLetter',
  maxDeliveries: 0,
  duplicateWindowMs: 120_000,
};
const MESSAGES = 3_000;
const LEASE = { max: 50, perKey: 50, visibilityMs: 60_000 };

describe('NATS server that dies', () => {
  let server: NatsServer;
  const stores: NatsStore[] = [];
  beforeEach(async () => {
    server = await startNatsServer();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await server.destroy();
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
      holdMs: 2_000,
      ...more,
    });
    stores.push(store);
    return store;
  };

  it('loses nothing that was confirmed when it is killed and restarted under load', async () => {
    const confirmed = new Set<string>();
    const delivered: string[] = [];
    const acknowledged = new Set<string>();
    const again: string[] = [];
    let putting = true;
    let over = false;
    let kills = 0;
    let late = 0;

    /** A gateway opens anew whenever its connection ends, and goes on where it was. */
    const gateway = async (work: (queue: Queue) => Promise<boolean>): Promise<void> => {
      while (!over) {
        try {
          const queue = await (await open()).open('load', OPTIONS);
          while (await work(queue));
          return;
        } catch (error) {
          const { kind } = error as Failure;
          assert.ok(kind === 'disconnected' || kind === 'transient', String(error));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    };
    const producer = async (from: number, step: number): Promise<void> => {
      let next = from;
      await gateway(async (queue) => {
        const batch = Array.from({ length: 20 }, (_, i) => next + i * step).filter((n) => n < MESSAGES);
        await Promise.all(
          batch.map(async (n) => {
            await queue.put({ id: `m${n}`, key: '', time: 0, body: Buffer.from(`${n}`) });
            confirmed.add(`m${n}`);
          }),
        );
        next += 20 * step;
        return next < MESSAGES;
      });
    };
    const consumer = () =>
      gateway(async (queue) => {
        const got = await queue.lease(LEASE);
        for (const { entry, delivery, token } of got) {
          assert.equal(entry.id, `m${Buffer.from(entry.body).toString()}`);
          if (acknowledged.has(entry.id)) late += 1;
          if (delivered.includes(entry.id)) again.push(entry.id);
          delivered.push(entry.id);
          if (await queue.acknowledge(token)) acknowledged.add(entry.id);
          assert.ok(delivery >= 1);
        }
        const { waiting, leased, delayed } = await queue.stats();
        return putting || waiting + leased + delayed > 0;
      });
    const killer = async (): Promise<void> => {
      for (const at of [300, 900, 1_800]) {
        await eventually(async () => confirmed.size >= at);
        await server.kill();
        kills += 1;
        await server.start();
      }
    };
    const putAll = async (): Promise<void> => {
      await Promise.all([producer(0, 2), producer(1, 2)]);
      putting = false;
    };
    try {
      await Promise.all([putAll(), killer(), consumer(), consumer()]);
    } finally {
      over = true;
    }

    assert.equal(kills, 3);
    assert.equal(confirmed.size, MESSAGES);
    const lost = [...confirmed].filter((id) => !delivered.includes(id));
    assert.deepEqual(lost, []);
    // The server may forget confirmed acknowledgements when it is killed; what comes again has the same id.
    assert.equal(delivered.length, MESSAGES + again.length);
    assert.ok(late <= again.length);
  }).timeout(60_000);

  it('tells of the end once and lets nobody wait', async () => {
    const failures: Failure[] = [];
    const store = await open({ lost: (failure) => void failures.push(failure) });
    const queue = await store.open('end', OPTIONS);
    server.freeze();
    const waiting = [
      failureOf(queue.put({ id: 'a', key: '', time: 0, body: Buffer.alloc(3) })),
      failureOf(queue.lease(LEASE)),
      failureOf(queue.stats()),
    ];
    await server.kill();
    for (const failure of await Promise.all(waiting)) {
      assert.deepEqual([failure.kind, failure.code], ['disconnected', 'CONNECTION_LOST']);
    }
    const later = await failureOf(queue.put({ id: 'b', key: '', time: 0, body: Buffer.alloc(3) }));
    assert.deepEqual([later.code, later.reached], ['NOT_CONNECTED', false]);
    await store.close();
    assert.deepEqual(
      failures.map(({ code }) => code),
      ['CONNECTION_LOST'],
    );
  });

  it('gives the records of a gateway that died to another, with a higher count', async () => {
    const dying = await open();
    const queue = await dying.open('died', OPTIONS);
    await queue.put({ id: 'a', key: '', time: 0, body: Buffer.alloc(3) });
    assert.equal((await queue.lease(LEASE)).length, 1);
    await dying.session.nc.close();
    const other = await (await open()).open('died', OPTIONS);
    await eventually(async () => {
      const [one] = await other.lease(LEASE);
      if (one) assert.deepEqual([one.entry.id, one.delivery], ['a', 2]);
      return one !== undefined && other.acknowledge(one.token);
    });
  });

  it('gives each record to one of two gateways', async () => {
    const here = await (await open()).open('two', OPTIONS);
    const there = await (await open()).open('two', OPTIONS);
    const ids = Array.from({ length: 500 }, (_, i) => `m${i}`);
    await Promise.all(
      ids.map((id, i) => (i % 2 ? here : there).put({ id, key: '', time: 0, body: Buffer.alloc(3) })),
    );
    const got: string[] = [];
    const take = async (queue: Queue): Promise<void> => {
      for (;;) {
        const batch = await queue.lease({ ...LEASE, max: 7 });
        if (batch.length === 0) return;
        got.push(...batch.map(({ entry }) => entry.id));
        for (const { token } of batch) assert.equal(await queue.acknowledge(token), true);
      }
    };
    await Promise.all([take(here), take(there)]);
    assert.deepEqual(got.sort(), ids.sort());
  });
});
