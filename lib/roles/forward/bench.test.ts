/** A peer in memory with switches, and a node that writes to it: for the tests of store and forward. */
import { Failure, type Effect, type Message } from '../../core';
import { choice, text, typed } from '../../spec';
import { openMemoryStore } from '../../queue/memory/store';
import { localQueues, type LocalQueues } from '../../queue/local';
import type { DeadLetterDetail, QueueStore } from '../../queue/types';
import { Harness } from '../../../test/helpers/harness';
import { VirtualClock } from '../../../test/helpers/virtual-clock';
import { defineAdapter, defineConnector, type Outcome } from '../declare';
import type { MeterSnapshot } from '../../observe/meter';

export type Answer = (body: unknown, key: string) => Promise<void> | void;

export const gone = () => new Failure('disconnected', 'CONNECTION_LOST', 'The peer went away.');
export const busy = () => new Failure('transient', 'PEER_ERROR', 'The peer is busy.');
export const refused = () =>
  new Failure('rejected', 'PEER_REJECTED', 'The peer refuses it.', { reached: true });

export class Bench {
  readonly clock = new VirtualClock();
  readonly queues: LocalQueues;
  store!: QueueStore;
  harness: Harness;
  /** Bodies as the peer accepted them. */
  readonly taken: unknown[] = [];
  readonly keys: string[] = [];
  /** Sizes of joined calls. */
  readonly joined: number[] = [];
  running = 0;
  mostRunning = 0;
  up = true;
  answer: Answer = () => {};
  #hold: (() => Promise<void>) | undefined;

  constructor() {
    this.queues = localQueues(() => Promise.resolve(openMemoryStore({ clock: this.clock })));
    this.harness = this.#harness();
  }

  /** Keeps the store open between two runs of a node. */
  async begin(): Promise<this> {
    const use = await this.queues.use();
    this.store = use.store;
    this.#hold = () => use.release();
    return this;
  }

  /** Another run of the runtime on the same store. */
  async restart(): Promise<void> {
    await this.close();
    this.harness = this.#harness();
  }

  #harness(): Harness {
    return new Harness({ clock: this.clock, random: () => 0.5, queues: this.queues });
  }

  node(raw: Record<string, unknown> = {}, link: Record<string, unknown> = {}, collect = false) {
    const { connector, adapter } = this.#system(collect);
    const { connection } = this.harness.connection(connector, { name: 'Peer', ...link });
    const node = this.harness.adapter(adapter, connection, {
      name: 'write',
      undelivered: 'store',
      retryStrategy: 'none',
      ...raw,
    });
    const reports = (): string[] =>
      node.recorded.sent
        .filter(({ output }) => output === 1)
        .map(({ msg }) => `${(msg.delivery as { event: string }).event} ${String(msg.payload)}`);
    const meter = (): MeterSnapshot => {
      const found = this.harness.runtime.metrics.snapshot().find(({ labels }) => labels.name === 'write');
      if (!found) throw new Error('The node has no series.');
      return found;
    };
    return { ...node, connection, reports, meter };
  }

  async letters(): Promise<DeadLetterDetail[]> {
    const { dead } = this.store;
    if (!dead) throw new Error('no dead letters');
    const list = await dead.list({}, { after: 0, limit: 100 });
    const details = await Promise.all(list.map(({ number }) => dead.get(number)));
    return details.filter((one) => one !== undefined);
  }

  async close(): Promise<void> {
    const closing = this.harness.close();
    await this.clock.advance(15_000);
    await closing;
  }

  async end(): Promise<void> {
    await this.close();
    await this.#hold?.();
  }

  async #call(body: unknown, key: string): Promise<void> {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      if (!this.up) throw gone();
      await this.answer(body, key);
      if (!this.up) throw gone();
      this.taken.push(body);
      this.keys.push(key);
    } finally {
      this.running -= 1;
    }
  }

  #system(collect: boolean) {
    const connector = defineConnector({
      type: 'holdfast-peer-connection',
      version: 1,
      label: 'peer',
      summary: 'A peer.',
      fields: { host: text({ label: 'Host', help: 'The host.', default: 'x' }) },
      open: () => (this.up ? Promise.resolve({}) : Promise.reject(gone())),
      close: () => Promise.resolve(),
      classify: (error) => new Failure('unclassified', 'UNCLASSIFIED', String(error)),
      simulator: { load: () => Promise.reject(new Error('none')), apply: (config) => config },
    });
    const adapter = defineAdapter({
      type: 'holdfast-peer',
      version: 1,
      label: 'peer',
      summary: 'Writes to a peer.',
      connector,
      fields: {
        mode: choice({
          label: 'Mode',
          help: 'The effect.',
          default: 'idempotent',
          options: { safe: 'Safe', once: 'Once', idempotent: 'Idempotent' },
          override: 'mode',
        }),
        body: typed({
          label: 'Body',
          help: 'The body.',
          default: { type: 'msg', value: 'payload' },
          types: ['msg', 'str', 'jsonata'],
        }),
      },
      effect: (values) => values.mode as Effect,
      operation: () => 'write',
      call: async ({ values, call }) => {
        await this.#call(values.body, call.key);
        return { answered: true };
      },
      ...(collect
        ? {
            collect: {
              key: () => 'all',
              limits: () => ({ items: 10, waitMs: 0 }),
              call: async (items): Promise<readonly Outcome[]> => {
                this.joined.push(items.length);
                for (const { values, key } of items) await this.#call(values.body, key);
                return items.map((): Outcome => ({ ok: true, patch: { answered: true } }));
              },
            },
          }
        : {}),
    });
    return { connector, adapter };
  }
}

export function message(payload: unknown, more: Message = {}): Message {
  return { payload, ...more };
}

/** in = out + failed + cancelled + dead + dropped + queued. */
export function conserved({ counters: c, queued }: MeterSnapshot): boolean {
  const dropped = c.droppedFull + c.droppedOld + c.droppedPurged;
  return c.in === c.out + c.failed + c.cancelled + c.dead + dropped + queued;
}
