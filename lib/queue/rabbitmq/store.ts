/**
 * Queues on RabbitMQ, shared by all gateways that use the same virtual host and prefix. A queue is a durable quorum
 * queue `<prefix>.queue.<name>`, its dead letters are another, `<prefix>.dead.<name>`.
 *
 * What it promises: `put` resolves on the publisher confirm, so when a majority of the members has the record on disk.
 * `acknowledge` resolves when the broker has read it; a broker that is killed within moments may deliver the record once
 * more. `deadLetter` confirms the dead letter before it ends the record: a crash in between leaves both, with the same id.
 *
 * What it does not: keys, the duplicate window, `inspect`, and numbers of dead letters. Limits are RabbitMQ's: puts that
 * are under way together may exceed them. Delays and leases are kept by this gateway and last at most 25 minutes in all.
 * `ordered` holds within one gateway. Attempts of a rejected record are remembered by this gateway until the record
 * becomes a dead letter. Totals begin with the opening; bytes are those of the records that this gateway holds, and
 * the age of the oldest is not known (0). A queue that RabbitMQ made within the last half second before its node was
 * killed may not come back; that is a weakness of RabbitMQ.
 */
import type { Capabilities, Queue, QueueOptions, QueueStore } from '../types';
import { connectRabbit } from './connect';
import { declare } from './declare';
import { classifyRabbit } from './errors';
import { checkPrefix, placesOf } from './names';
import { DEFAULT_PREFIX, type RabbitOptions } from './options';
import { Publisher } from './publisher';
import { RabbitQueue } from './queue';
import type { Session } from './session';

/** How long a close waits for the last confirms. */
const IDLE_LIMIT_MS = 1_500;

const CAPABILITIES: Capabilities = {
  durable: true,
  shared: true,
  keys: false,
  extend: true,
  duplicates: false,
  inspect: false,
  delay: true,
};

/** Connects and logs in. Rejects with a Failure and leaves nothing open when it cannot. */
export async function openRabbitStore(options: RabbitOptions): Promise<RabbitStore> {
  const prefix = options.prefix ?? DEFAULT_PREFIX;
  checkPrefix(prefix);
  const session = await connectRabbit(options);
  try {
    return new RabbitStore(session, await Publisher.open(session), prefix);
  } catch (error) {
    await session.close();
    throw classifyRabbit(error);
  }
}

/** Asks the broker for an answer; rejects with a Failure when none comes. */
export async function pingRabbit(store: RabbitStore): Promise<void> {
  await store.ping();
}

export class RabbitStore implements QueueStore {
  readonly capabilities = CAPABILITIES;
  /** RabbitMQ keeps them, a queue of them beside each queue. */
  readonly dead = undefined;
  readonly #queues = new Set<RabbitQueue>();
  #closed: Promise<void> | undefined;

  constructor(
    private readonly session: Session,
    private readonly publisher: Publisher,
    private readonly prefix: string,
  ) {}

  async open(name: string, options: QueueOptions): Promise<Queue> {
    const { session, publisher } = this;
    const places = placesOf(this.prefix, name);
    try {
      await declare(session, places, options);
      const channel = await session.channel();
      const queue = new RabbitQueue(name, { session, channel, publisher, places, options });
      this.#queues.add(queue);
      return queue;
    } catch (error) {
      throw session.ended ?? classifyRabbit(error);
    }
  }

  /** AMQP cannot list queues: those that were opened here. */
  async names(): Promise<readonly string[]> {
    return [...new Set([...this.#queues].map(({ name }) => name))].sort();
  }

  async ping(): Promise<void> {
    await this.publisher.ping();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.publisher.idle(IDLE_LIMIT_MS);
    await Promise.allSettled([...this.#queues].map((queue) => queue.close()));
    await this.session.close();
  }
}
