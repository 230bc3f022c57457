/**
 * A broker of the proof's own is killed and restarted under load. What it confirmed comes out again; what comes twice
 * has the same id. A broker that is killed may also
 * forget acknowledgements that it had confirmed, so their number has no bound that we could keep.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Scope, silentLog, systemClock } from '../../lib/core';
import type { Queue, QueueOptions, QueueStore } from '../../lib/queue';
import { startNatsServer } from '../helpers/nats-server';
import { RabbitServer } from '../helpers/rabbit-server';
import type { Row } from './faults-report';

interface Broker {
  readonly name: string;
  open(lost: () => void): Promise<QueueStore>;
  /** What the broker needs before its queues survive being killed. */
  settle(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  destroy(): Promise<void>;
}

const KILLS = 3;
const CONFIRMED_BETWEEN = 300;
const PUTS = 8;
const WINDOW = 8;
const LIMIT_MS = 120_000;
const RETRY_MS = 100;
const LEASE = { max: WINDOW, perKey: WINDOW, visibilityMs: 60_000 };
const OPTIONS: QueueOptions = {
  owner: { node: 'n1', name: 'broker', type: 'prove', flow: '' },
  ...{ ordered: false, maxRecords: 0, maxBytes: 0, maxAgeMs: 0, whenFull: 'reject', whenOld: 'deadLetter' },
  ...{ maxDeliveries: 0, duplicateWindowMs: 0 },
};
const COMMON = { clock: systemClock, log: silentLog, name: 'prove', openTimeoutMs: 10_000, prefix: 'prove' };

export async function natsBroker(): Promise<Broker> {
  const { openNatsStore } = await import('../../lib/queue/nats/store.js');
  const server = await startNatsServer();
  return {
    name: 'NATS killed',
    open: (lost) =>
      openNatsStore({
        ...{ ...COMMON, servers: [server.address], scope: new Scope(), replicas: 1, holdMs: 2_000, lost },
      }),
    settle: () => Promise.resolve(),
    kill: () => server.kill(),
    start: () => server.start(),
    destroy: () => server.destroy(),
  };
}

export async function rabbitBroker(): Promise<Broker> {
  const { openRabbitStore } = await import('../../lib/queue/rabbitmq/store.js');
  const server = await RabbitServer.start();
  const { host, port, virtualHost, user, password } = server;
  return {
    name: 'RabbitMQ killed',
    open: (lost) =>
      openRabbitStore({
        ...{
          ...COMMON,
          host,
          port,
          virtualHost,
          user,
          password,
          heartbeatSeconds: 5,
          scope: new Scope(),
          lost,
        },
      }),
    settle: () => server.settle(),
    kill: () => server.kill(),
    start: () => server.restart(),
    destroy: () => server.dispose(),
  };
}

/** What is known for certain on this side of the broker. */
class Books {
  readonly confirmed = new Set<string>();
  readonly #came = new Map<string, number>();
  #next = 0;
  #refused = 0;
  #again = 0;

  nextId(): string {
    return `m${this.#next++}`;
  }
  refused(): void {
    this.#refused += 1;
  }
  came(id: string): void {
    const times = (this.#came.get(id) ?? 0) + 1;
    this.#came.set(id, times);
    if (times > 1) this.#again += 1;
  }
  row(what: string, resumedMs: number): Row {
    const lost = [...this.confirmed].filter((id) => !this.#came.has(id));
    const faults = lost.map((id) => `${id} is lost.`);
    return {
      ...{ what, tries: KILLS, messages: this.confirmed.size, refused: this.#refused },
      ...{ duplicated: this.#again, resumedMs, faults },
    };
  }
}

/** A session of both sides, until the connection is lost or `enough` says so and nothing is left. */
async function session(broker: Broker, books: Books, enough: () => boolean): Promise<void> {
  let over = false;
  const store = await broker.open(() => void (over = true));
  try {
    const queue = await store.open('broker', OPTIONS);
    const puts = Array.from({ length: PUTS }, () => produce(queue, books, () => over || enough()));
    const produced = Promise.all(puts);
    let producing = true;
    void produced.then(() => (producing = false));
    await consume(queue, books, async () => over || (!producing && (await left(queue)) === 0));
    await produced;
  } finally {
    await store.close();
  }
}

async function left(queue: Queue): Promise<number> {
  const { waiting, leased, delayed } = await queue.stats();
  return waiting + leased + delayed;
}

async function produce(queue: Queue, books: Books, ended: () => boolean): Promise<void> {
  while (!ended()) {
    const id = books.nextId();
    try {
      await queue.put({ id, key: '', time: 0, body: Buffer.from(id) });
      books.confirmed.add(id);
    } catch {
      books.refused();
      await pause(RETRY_MS);
    }
  }
}

async function consume(queue: Queue, books: Books, ended: () => Promise<boolean>): Promise<void> {
  for (;;) {
    try {
      const leased = await queue.lease(LEASE);
      for (const { entry } of leased) books.came(entry.id);
      for (const { token } of leased) await queue.acknowledge(token);
      if (leased.length === 0 && (await ended())) return;
    } catch {
      // Only the end of the connection throws, and that ends the session.
      return;
    }
  }
}

export async function brokerKills(make: () => Promise<Broker>): Promise<Row> {
  const broker = await make();
  const books = new Books();
  let [killed, startedAt, resumedMs] = [0, 0, 0];
  const enough = (): boolean => books.confirmed.size >= (KILLS + 1) * CONFIRMED_BETWEEN;
  const killer = async (): Promise<void> => {
    for (; killed < KILLS; killed += 1) {
      await until(() => books.confirmed.size >= (killed + 1) * CONFIRMED_BETWEEN);
      if (killed === 0) await broker.settle();
      await broker.kill();
      const before = books.confirmed.size;
      await broker.start();
      startedAt = performance.now();
      await until(() => books.confirmed.size > before);
      resumedMs = Math.max(resumedMs, performance.now() - startedAt);
    }
  };
  const work = async (): Promise<void> => {
    // A session that ends before enough was confirmed and drained ended with its broker.
    for (let done = false; !done;) {
      try {
        await session(broker, books, enough);
        done = enough() && killed === KILLS;
      } catch {
        await pause(RETRY_MS);
      }
    }
  };
  try {
    await Promise.all([work(), killer()]);
    return books.row(broker.name, resumedMs);
  } finally {
    await broker.destroy();
  }
}

async function until(seen: () => boolean): Promise<void> {
  for (const began = performance.now(); !seen(); await pause(5))
    if (performance.now() - began > LIMIT_MS) throw new Error('The broker or its client did not come back.');
}
