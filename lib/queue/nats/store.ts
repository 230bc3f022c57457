/** Queues on NATS JetStream, shared by all gateways that use the same server and prefix. */
import type { Cluster } from '../cluster';
import type { Capabilities, Queue, QueueOptions, QueueStore } from '../types';
import { connectNats } from './connect';
import { NatsDeadLetters } from './dead';
import { Graves } from './graves';
import { checkQueueName, queueNameOf } from './names';
import { Notes } from './notes';
import { NatsLeases } from './kv-leases';
import { NatsSharedState } from './kv-shared';
import type { NatsOptions } from './options';
import { NatsQueue } from './queue';
import type { Session } from './session';
import { Tally } from './tally';

const CAPABILITIES: Capabilities = {
  durable: true,
  shared: true,
  keys: false,
  extend: true,
  duplicates: true,
  inspect: true,
  delay: true,
};

/** Connects and prepares what all queues share. Rejects with a Failure and leaves nothing open when it cannot. */
export async function openNatsStore(options: NatsOptions): Promise<NatsStore> {
  const session = await connectNats(options);
  try {
    const graves = new Graves(session);
    await Promise.all([graves.ensure(), new Notes(session).ensure()]);
    const dead = new NatsDeadLetters(graves, await Tally.open(session));
    return new NatsStore(session, dead);
  } catch (error) {
    await session.close(0);
    throw error;
  }
}

/** Asks the server for an answer; rejects with a Failure when none comes. */
export async function pingNats(store: NatsStore): Promise<void> {
  await store.session.run(() => store.session.nc.flush());
}

export class NatsStore implements QueueStore {
  readonly capabilities = CAPABILITIES;
  /** What the gateways share beside queues. */
  readonly cluster: Cluster;
  readonly #open = new Map<string, NatsQueue>();
  #closed: Promise<void> | undefined;

  constructor(
    readonly session: Session,
    readonly dead: NatsDeadLetters,
  ) {
    this.cluster = { leases: new NatsLeases(session), shared: new NatsSharedState(session) };
  }

  async open(name: string, options: QueueOptions): Promise<Queue> {
    checkQueueName(name);
    const queue = await NatsQueue.open(this.dead, name, options);
    this.#open.set(name, queue);
    return queue;
  }

  async names(): Promise<readonly string[]> {
    const { session } = this;
    const begin = `${session.places.prefix}_q_`;
    const found: string[] = [];
    await session.run(async () => {
      for await (const stream of session.jsm.streams.names(`${session.places.prefix}.q.*`)) {
        const name = stream.startsWith(begin) ? queueNameOf(stream.slice(begin.length)) : undefined;
        if (name !== undefined) found.push(name);
      }
    });
    return found.sort();
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const ends = [...this.#open.values()].map((queue) => queue.close());
    await Promise.allSettled([...ends, this.dead.close()]);
    await this.session.close();
  }
}
