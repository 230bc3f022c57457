import assert from 'node:assert/strict';
import { Failure, Scope, silentLog, systemClock, type Clock } from '../core';
import { Breaker, type BreakerOptions } from '../policy/breaker';
import type { Cluster } from '../queue/cluster';
import { memoryCluster } from '../queue/memory-cluster';
import { openNatsStore, type NatsStore } from '../queue/nats';
import { failureOf } from '../../test/helpers/failure-of';
import { Harness } from '../../test/helpers/harness';
import { eventually, startNatsServer, type NatsServer } from '../../test/helpers/nats-server';
import { someSource } from '../../test/helpers/surroundings';
import { settle, VirtualClock } from '../../test/helpers/virtual-clock';
import { Connection } from './connection';
import type { Coordinator } from './coordinator';
import { defineConnector } from './declare';
import { readSettings } from './settings';
import { SharedBreaker } from './shared-breaker';

const KEY = 'breaker peer';
const options: BreakerOptions = {
  ...{ mode: 'consecutive', failures: 3, rate: 0.5, windowMs: 60_000, minimumCalls: 10 },
  ...{ openMs: 10_000, probes: 1, probeTimeoutMs: 5_000 },
};

/** A gateway's breaker and its way to the cluster. */
class Gateway {
  readonly breaker: Breaker;
  readonly shared: SharedBreaker;
  puts = 0;
  watchers = 0;
  readonly lines: string[] = [];
  #open = (): void => undefined;
  #end = (): void => undefined;

  constructor(name: string, clock: Clock, cluster: Cluster, refused?: Failure) {
    this.breaker = new Breaker(options, clock);
    const counted: Cluster = {
      leases: cluster.leases,
      shared: {
        get: (key) => cluster.shared.get(key),
        remove: (key) => cluster.shared.remove(key),
        put: (key, value) => {
          this.puts += 1;
          return cluster.shared.put(key, value);
        },
        watch: async (key, fn) => {
          const end = await cluster.shared.watch(key, fn);
          this.watchers += 1;
          return () => {
            this.watchers -= 1;
            end();
          };
        },
      },
    };
    const coordinator: Coordinator = {
      name: 'way',
      ask: (fn) => fn(counted),
      onOpen: (fn, cannot) => {
        this.#open = () => {
          this.#end = fn(counted);
        };
        if (refused) cannot?.(refused);
        else this.#open();
        return () => {
          this.#end();
          return Promise.resolve();
        };
      },
    };
    const log = { ...silentLog, warn: (text: string) => void this.lines.push(text) };
    this.shared = new SharedBreaker(this.breaker, coordinator, KEY, name, log);
  }

  get state(): string {
    return this.breaker.state;
  }
  cut(): void {
    this.#end();
    this.#end = () => undefined;
  }
  heal(): void {
    this.#open();
  }
  fail(now: number): void {
    for (let i = 0; i < 3; i += 1) this.breaker.fail(this.breaker.enter(now), now);
  }
  async close(): Promise<void> {
    await this.shared.close();
    this.breaker.close();
  }
}

describe('shared breaker', () => {
  let clock: VirtualClock;
  let cluster: Cluster;
  let a: Gateway;
  let b: Gateway;
  const states = (): string => `${a.state} ${b.state}`;

  beforeEach(async () => {
    clock = new VirtualClock();
    cluster = memoryCluster(clock);
    a = new Gateway('a', clock, cluster);
    b = new Gateway('b', clock, cluster);
    await settle();
  });
  afterEach(async () => {
    await a.close();
    await b.close();
    assert.deepEqual([a.watchers, b.watchers, clock.pending], [0, 0, 0]);
  });

  it('opens on the other gateway without a call of its own, for what is left of the time', async () => {
    a.fail(0);
    await settle();
    assert.equal(states(), 'open open');
    assert.equal(b.breaker.enter(clock.mono()), 0);
    assert.ok(b.breaker.remainingMs > 0 && b.breaker.remainingMs <= 10_000);
    await clock.advance(10_000);
    assert.equal(states(), 'half-open half-open');
  });

  it('closes on the other gateway when the probe of one succeeds', async () => {
    a.fail(0);
    await clock.advance(10_000);
    a.breaker.succeed(a.breaker.enter(clock.mono()), clock.mono());
    await settle();
    assert.equal(states(), 'closed closed');
  });

  it('keeps the state to itself while it probes', async () => {
    a.fail(0);
    await settle();
    const puts = a.puts + b.puts;
    await clock.advance(10_000);
    assert.ok(a.breaker.enter(clock.mono()) > 0);
    await settle();
    assert.equal(a.puts + b.puts, puts);
  });

  it('has no echo: each change is told once', async () => {
    for (let round = 0; round < 5; round += 1) {
      a.fail(clock.mono());
      await clock.advance(10_000);
      a.breaker.succeed(a.breaker.enter(clock.mono()), clock.mono());
      await settle();
    }
    assert.deepEqual([a.puts, b.puts, states()], [10, 0, 'closed closed']);
  });

  it('ignores what is no state, and bounds a time that is too long', async () => {
    const wrong = [
      null,
      1,
      'open',
      [],
      {},
      { by: 'x' },
      { by: 'x', state: 'half-open' },
      { by: 1, state: 'open' },
    ];
    for (const value of wrong) await cluster.shared.put(KEY, value);
    await cluster.shared.remove(KEY);
    await settle();
    assert.equal(states(), 'closed closed');
    await cluster.shared.put(KEY, { by: 'x', state: 'open', remainingMs: 1e300 });
    await settle();
    assert.equal(states(), 'open open');
    assert.ok(a.breaker.remainingMs <= 10_000);
    await clock.advance(10_000);
    assert.equal(states(), 'half-open half-open');
    await cluster.shared.put(KEY, { by: 'x', state: 'closed', remainingMs: 'long' });
    await settle();
    assert.equal(states(), 'closed closed');
  });

  it('tells afterwards what happened while nobody could be told', async () => {
    a.cut();
    a.fail(0);
    await settle();
    assert.equal(states(), 'open closed');
    a.heal();
    await settle();
    assert.equal(states(), 'open open');
    a.cut();
    await clock.advance(10_000);
    a.breaker.succeed(a.breaker.enter(clock.mono()), clock.mono());
    await settle();
    assert.equal(states(), 'closed half-open');
    a.heal();
    await settle();
    assert.equal(states(), 'closed closed');
  });

  it('does not open again by what it saw before the connection was lost', async () => {
    a.fail(0);
    await settle();
    a.cut();
    await clock.advance(10_000);
    b.cut();
    b.breaker.succeed(b.breaker.enter(clock.mono()), clock.mono());
    b.heal();
    await settle();
    assert.equal(b.state, 'closed');
  });

  it('says once that the store cannot share it, and works alone', async () => {
    const c = new Gateway('c', clock, cluster, new Failure('config', 'BAD_CONFIG', 'The store is a file.'));
    c.fail(0);
    await settle();
    assert.deepEqual([c.state, states()], ['open', 'closed closed']);
    assert.deepEqual(c.lines, ['The breaker is not shared: The store is a file.']);
    await c.close();
  });
});

describe('shared breaker of two connections on NATS', () => {
  let server: NatsServer;
  before(async () => {
    server = await startNatsServer();
  });
  after(() => server.destroy());

  const queue = defineConnector({
    ...{ type: 'holdfast-queue-connection', version: 1, label: 'queue', summary: 'A queue.', fields: {} },
    open: ({ clock, log, lost, scope, name }): Promise<NatsStore> =>
      openNatsStore({
        ...{ servers: [server.address], clock, log, name, lost, scope },
        ...{ openTimeoutMs: 10_000, replicas: 1 },
      }),
    close: (store) => store.close(),
    classify: (error) => new Failure('disconnected', 'CONNECTION_LOST', String(error)),
    simulator: { load: () => Promise.reject(new Error('none')), apply: (config) => config },
  });
  let calls = 0;
  let answer: () => Promise<string>;
  const peer = defineConnector({
    ...{ type: 'holdfast-peer-connection', version: 1, label: 'peer', summary: 'A peer.', fields: {} },
    open: () => Promise.resolve({}),
    close: () => Promise.resolve(),
    classify: () => new Failure('transient', 'PEER_ERROR', 'The peer failed.'),
    simulator: { load: () => Promise.reject(new Error('none')), apply: (config) => config },
  });

  function gateway(id: string) {
    const harness = new Harness({ clock: systemClock });
    const way = harness.connection(queue, { name: 'way' }).connection;
    const log = { ...silentLog };
    const host = {
      ...{ id, type: peer.type, name: 'Boiler', source: someSource, log },
      ...{ show: () => undefined, send: () => undefined, fail: () => undefined },
      evaluate: () => Promise.reject(new Error('none')),
    };
    const settings = readSettings(peer, { name: 'Boiler', breakerFailures: '3', breakerOpen: '2s' }, {});
    const connect = (): { connection: Connection; detach: () => void } => {
      const connection = new Connection(peer, settings, host, harness.runtime, way);
      return { connection, detach: connection.attach({}, () => undefined) };
    };
    return { harness, way, connect };
  }
  const call = (connection: Connection): Promise<string> =>
    connection.run({
      ...{ effect: 'safe', timeoutMs: 10_000, key: 'call', scope: new Scope() },
      retry: { strategy: 'none', attempts: 1, baseMs: 0, maxMs: 0 },
      call: () => {
        calls += 1;
        return answer();
      },
    });
  const watchers = async (way: Connection): Promise<number> => {
    const { session } = way.current as NatsStore;
    // The server forgets a watcher itself some minutes after nobody listens to it any more.
    let listening = 0;
    for await (const one of session.jsm.consumers.list(`KV_${session.places.prefix}_shared`)) {
      if (one.push_bound) listening += 1;
    }
    return listening;
  };

  it('opens and closes on both, and leaves no watcher behind on a redeploy', async () => {
    const [one, two] = [gateway('one'), gateway('two')];
    const [first, second] = [one.connect(), two.connect()];
    // Both watch before the first change, as on a running site.
    await eventually(async () => one.way.current !== undefined && two.way.current !== undefined);
    await eventually(async () => (await watchers(one.way).catch(() => 0)) === 2);

    answer = () => Promise.reject(new Error('down'));
    for (let i = 0; i < 3; i += 1) await failureOf(call(first.connection));
    calls = 0;
    await eventually(async () => (await failureOf(call(second.connection))).code === 'CIRCUIT_OPEN');
    assert.ok(calls < 3, 'its own failures did not open it');

    answer = () => Promise.resolve('well');
    await eventually(() =>
      call(first.connection).then(
        () => true,
        () => false,
      ),
    );
    await eventually(() =>
      call(second.connection).then(
        () => true,
        () => false,
      ),
    );

    first.detach();
    await first.connection.close();
    await eventually(async () => (await watchers(two.way)) === 1);
    const again = one.connect();
    await eventually(async () => (await watchers(two.way)) === 2);
    again.detach();
    await again.connection.close();
    second.detach();
    await second.connection.close();
    await eventually(async () => (await watchers(two.way)) === 0);
    await one.harness.close();
    await two.harness.close();
  });
});
