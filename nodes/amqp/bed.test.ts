/** What the tests of this folder share: the simulator and a real broker, with names of their own that are removed. */
import { randomUUID } from 'node:crypto';
import { connect as amqp, type Channel, type ChannelModel, type Options } from 'amqplib';
import { systemClock, type Message } from '../../lib/core';
import type { RawConfig, RawRow } from '../../lib/spec';
import { startFaultProxy, type FaultProxy } from '../../test/faults';
import { Harness } from '../../test/helpers/harness';
import { brokerUrl, isExpected } from '../../test/helpers/services';
import { adapter } from './adapter';
import { connector } from './connector';
import { start as startSimulator } from './simulator';
import { trigger } from './trigger';

export interface Peer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}
export type StartPeer = () => Promise<Peer>;

export const simulator: StartPeer = () =>
  startSimulator({ port: 0, seed: 1, clock: systemClock, still: true });
/** The broker of this machine. */
export const rabbit: StartPeer = () => {
  const url = new URL(brokerUrl('RabbitMQ'));
  return Promise.resolve({
    host: url.hostname,
    port: Number(url.port || 5672),
    close: () => Promise.resolve(),
  });
};
export const PEERS: Readonly<Record<string, StartPeer>> = {
  'the simulator': simulator,
  ...(isExpected('RabbitMQ') ? { RabbitMQ: rabbit } : {}),
};

type Connection = ReturnType<Harness['connection']>;

export class Bed {
  readonly prefix = `holdfast-test-${randomUUID().slice(0, 8)}`;
  /** Reopens at the shortest pause. */
  readonly harness = new Harness({ random: () => 0 });
  readonly #made: ((channel: Channel) => Promise<unknown>)[] = [];

  private constructor(
    readonly peer: Peer,
    readonly proxy: FaultProxy,
    readonly model: ChannelModel,
    readonly channel: Channel,
  ) {}

  static async start(startPeer: StartPeer = rabbit): Promise<Bed> {
    const peer = await startPeer();
    const proxy = await startFaultProxy({ target: peer });
    const model = await amqp(`amqp://guest:guest@${peer.host}:${peer.port}`);
    model.on('error', () => {});
    const channel = await model.createChannel();
    channel.on('error', () => {});
    return new Bed(peer, proxy, model, channel);
  }

  name(short: string): string {
    return `${this.prefix}.${short}`;
  }

  /** A name that is deleted when the test is over. */
  ours(kind: 'queue' | 'exchange', short: string): string {
    const name = this.name(short);
    this.#made.push((channel) =>
      kind === 'queue' ? channel.deleteQueue(name) : channel.deleteExchange(name),
    );
    return name;
  }

  async queue(short: string, options: Options.AssertQueue = {}): Promise<string> {
    const name = this.ours('queue', short);
    await this.channel.assertQueue(name, options);
    return name;
  }

  async exchange(short: string, kind: string, queue?: string, key = '#', options = {}): Promise<string> {
    const name = this.ours('exchange', short);
    await this.channel.assertExchange(name, kind, { durable: true, ...options });
    if (queue !== undefined) await this.channel.bindQueue(queue, name, key);
    return name;
  }

  /** Through the fault proxy. */
  link(raw: RawConfig = {}, secrets: RawConfig = { password: 'guest' }): Connection {
    const { host, port } = this.proxy;
    const base = { name: 'broker', host, port, authKind: 'basic', username: 'guest', reopenMax: '1s' };
    return this.harness.connection(connector, { ...base, ...raw }, secrets);
  }

  node(raw: RawConfig, { connection }: Connection = this.link()): ReturnType<Harness['adapter']> {
    const base = { retryStrategy: 'none', timeout: '10s' };
    return this.harness.adapter(adapter, connection, { ...base, ...raw });
  }

  take(raw: RawConfig, { connection }: Connection = this.link()): ReturnType<Harness['trigger']> {
    return this.harness.trigger(trigger, connection, raw);
  }

  /** The next message of a queue as the broker has it, removed. */
  async get(queue: string): Promise<{ content: Buffer; properties: Record<string, unknown> } | undefined> {
    const got = await this.channel.get(queue, { noAck: true });
    return got === false ? undefined : { content: got.content, properties: { ...got.properties } };
  }

  async count(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount;
  }

  async close(): Promise<void> {
    await this.proxy.clear();
    await this.harness.close();
    const cleaner = await amqp(`amqp://guest:guest@${this.peer.host}:${this.peer.port}`);
    const channel = await cleaner.createChannel();
    for (const remove of this.#made.reverse()) await remove(channel);
    await cleaner.close();
    // A test may have ended it with its broker.
    await this.model.close().catch(() => undefined);
    await this.proxy.close();
    await this.peer.close();
  }
}

const LIMIT_MS = 15_000;

/** Polls for what must come. */
export async function until<T>(look: () => T | Promise<T>): Promise<Exclude<T, null | undefined | false>> {
  for (const end = performance.now() + LIMIT_MS; performance.now() < end;) {
    const found = await look();
    if (found) return found as Exclude<T, null | undefined | false>;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Still waiting after ${LIMIT_MS} ms: ${look.toString()}`);
}

export const amqpOf = (msg: Message): Record<string, unknown> => msg['amqp'] as Record<string, unknown>;

export const exchangeRow = (name: string, more: RawRow = {}): RawRow => ({ name, kind: 'topic', ...more });
export const queueRow = (name: string, more: RawRow = {}): RawRow => ({ name, kind: 'classic', ...more });
export const bindingRow = (source: string, destination: string, key: string): RawRow => ({
  source,
  destination,
  key,
  kind: 'queue',
});
