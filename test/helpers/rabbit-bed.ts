/** Stores on a real RabbitMQ for tests: names of their own, everything deleted afterwards. */
import { randomBytes } from 'node:crypto';
import { connect } from 'amqplib';
import { Scope, silentLog, systemClock, type Clock, type Failure } from '../../lib/core';
import { openRabbitStore, type RabbitOptions, type RabbitStore } from '../../lib/queue/rabbitmq';
import type { Attempt, Entry, QueueOptions } from '../../lib/queue';

export interface Broker {
  readonly host: string;
  readonly port: number;
}

/** The machine-wide server. */
export const BROKER: Broker = {
  host: process.env['HOLDFAST_TEST_RABBITMQ_HOST'] ?? '127.0.0.1',
  port: Number(process.env['HOLDFAST_TEST_RABBITMQ_PORT'] ?? 5672),
};

export const OPTIONS: QueueOptions = {
  owner: { node: 'n1', name: 'buffer', type: 'holdfast-queue', flow: 'plant' },
  ordered: false,
  maxRecords: 0,
  maxBytes: 0,
  maxAgeMs: 0,
  whenFull: 'reject',
  whenOld: 'deadLetter',
  maxDeliveries: 0,
  duplicateWindowMs: 0,
};

export class RabbitBed {
  readonly prefix = `t${randomBytes(8).toString('hex')}`;
  readonly lost: Failure[] = [];
  readonly #stores: RabbitStore[] = [];
  readonly #names = new Set<string>();

  constructor(
    readonly broker: Broker = BROKER,
    readonly clock: Clock = systemClock,
  ) {}

  async store(options: Partial<RabbitOptions> = {}): Promise<RabbitStore> {
    const store = await openRabbitStore({
      ...this.broker,
      virtualHost: '/',
      user: 'guest',
      password: 'guest',
      heartbeatSeconds: 10,
      clock: this.clock,
      log: silentLog,
      name: 'Holdfast test',
      scope: new Scope(),
      openTimeoutMs: 15_000,
      lost: (failure) => this.lost.push(failure),
      prefix: this.prefix,
      ...options,
    });
    this.#stores.push(store);
    const open = store.open.bind(store);
    store.open = (name, queueOptions) => {
      this.#names.add(name);
      return open(name, queueOptions);
    };
    return store;
  }

  /** Names on the broker. */
  queue(name: string): string {
    return `${this.prefix}.queue.${name}`;
  }
  dead(name: string): string {
    return `${this.prefix}.dead.${name}`;
  }

  /** A connection of another program. */
  async other<T>(work: (channel: import('amqplib').ConfirmChannel) => Promise<T>): Promise<T> {
    const model = await connect({ hostname: this.broker.host, port: this.broker.port });
    model.on('error', () => {});
    try {
      const channel = await model.createConfirmChannel();
      channel.on('error', () => {});
      return await work(channel);
    } finally {
      await model.close().catch(() => {});
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    await this.other(async (channel) => {
      for (const name of this.#names) {
        await channel.deleteQueue(this.queue(name));
        await channel.deleteQueue(this.dead(name));
      }
    });
  }
}

export const entry = (id: string, body = id): Entry => ({
  id,
  key: '',
  time: 1_767_225_600_000,
  body: Buffer.from(body),
});

export const attempt = (message = 'the pump is off'): Attempt => ({
  at: 1_767_225_600_000,
  kind: 'transient',
  code: 'PEER_ERROR',
  message,
});

/** Asks again and again, for what a server does in its own time. */
export async function until<T>(ask: () => Promise<T | undefined>, limitMs = 60_000): Promise<T> {
  for (const end = performance.now() + limitMs; ;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error('It did not come.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
