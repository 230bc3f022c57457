/**
 * One consumer on a channel of its own. What it hands out can be settled only through this channel: when that is
 * gone, the broker delivers the messages anew, and their tokens are worthless.
 */
import { randomUUID } from 'node:crypto';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { Failure, type Clock } from '../../lib/core';
import { channelFailure, closeOf, protocolFailure } from './classify';

export type Settlement = 'acknowledge' | 'reject' | 'requeue';

export interface ConsumeOptions {
  readonly queue: string;
  readonly prefetch: number;
  readonly exclusive: boolean;
  readonly priority: number | undefined;
  readonly consumerTag: string;
  /** Of the consume method: a stream's offset. */
  readonly arguments: Readonly<Record<string, unknown>>;
}
export interface Delivery {
  readonly message: ConsumeMessage;
  /** For `settle`, and for nobody else to read. */
  readonly token: string;
}
export interface ConsumerEvents {
  delivered(delivery: Delivery): void;
  /** The broker ended the consumer or its channel, for a reason of its own. */
  ended(failure: Failure): void;
}

const CLOSE_MS = 1000;

export class Consumer {
  readonly id = randomUUID();
  readonly #channel: Channel;
  readonly #options: ConsumeOptions;
  readonly #events: ConsumerEvents;
  readonly #unsettled = new Set<number>();
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<unknown> | undefined;
  #over = false;
  /** Until then a closed channel is the answer to the start, and tells nothing about the session. */
  #started = false;
  #failure: Failure | undefined;
  #error: unknown;

  private constructor(channel: Channel, options: ConsumeOptions, events: ConsumerEvents) {
    this.#channel = channel;
    this.#options = options;
    this.#events = events;
    channel.on('error', (error) => (this.#error = error));
    channel.on('close', () => this.#ended());
  }

  /** `others`: consumers that the queue had before. */
  static async start(
    model: ChannelModel,
    options: ConsumeOptions,
    events: ConsumerEvents,
  ): Promise<{ consumer: Consumer; others: number }> {
    const channel = await model.createChannel();
    const consumer = new Consumer(channel, options, events);
    try {
      const { consumerCount } = await channel.checkQueue(options.queue);
      await channel.prefetch(options.prefetch);
      await consumer.#consume();
      if (consumer.#failure) throw consumer.#failure;
      consumer.#started = true;
      return { consumer, others: consumerCount };
    } catch (error) {
      const close = closeOf(error) ?? closeOf(consumer.#error);
      if (close) throw channelFailure(close, `Queue "${options.queue}"`);
      throw error;
    }
  }

  async #consume(): Promise<void> {
    const { queue, exclusive, priority, consumerTag, arguments: more } = this.#options;
    await this.#channel.consume(queue, (message) => this.#delivered(message), {
      exclusive,
      noAck: false,
      ...(consumerTag === '' ? {} : { consumerTag }),
      ...(priority === undefined ? {} : { priority }),
      arguments: more,
    });
  }

  /** Null: the broker cancelled the consumer, because the queue is gone or has moved. */
  #delivered(message: ConsumeMessage | null): void {
    if (this.#over) return;
    if (!message) return this.#cancelled();
    const tag = message.fields.deliveryTag;
    if (this.#unsettled.size >= this.#options.prefetch) {
      return this.#end(protocolFailure(new Error('more deliveries than the prefetch allows')));
    }
    this.#unsettled.add(tag);
    this.#events.delivered({ message, token: `${this.id}:${tag}` });
  }

  /** Settles a delivery of this consumer; resolves when the broker has taken notice. */
  async settle(token: string, how: Settlement): Promise<void> {
    this.settleNow(token, how);
    await this.#barrier();
  }

  /** The same without waiting for the broker. */
  settleNow(token: string, how: Settlement): void {
    const tag = Number(token.slice(token.lastIndexOf(':') + 1));
    // The broker would close the channel for a tag that it does not know, and with it lose the others.
    if (!this.#unsettled.delete(tag)) throw leaseLost('it was settled already');
    const message = { fields: { deliveryTag: tag } } as ConsumeMessage;
    if (how === 'acknowledge') this.#channel.ack(message);
    else this.#channel.reject(message, how === 'requeue');
  }

  /** The broker carries out a channel's methods in turn: its answer to a later one says that it has seen the earlier. */
  #barrier(): Promise<unknown> {
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#running = this.#channel.prefetch(this.#options.prefetch);
        return this.#running;
      });
    return this.#next;
  }

  #cancelled(): void {
    const text = `The broker cancelled the consumer of queue "${this.#options.queue}": the queue was deleted or has moved.`;
    this.#end(new Failure('disconnected', 'CONNECTION_LOST', text));
  }

  #ended(): void {
    const close = closeOf(this.#error);
    const { queue } = this.#options;
    const text = close
      ? `The broker ended the consumer of queue "${queue}": ${close.text.slice(0, 300)}.`
      : 'The connection to the broker ended.';
    this.#end(new Failure('disconnected', 'CONNECTION_LOST', text));
  }

  #end(failure: Failure): void {
    this.#unsettled.clear();
    if (this.#over) return;
    this.#over = true;
    this.#failure = failure;
    if (this.#started) this.#events.ended(failure);
  }

  /** What is not settled goes back to the queue. */
  async close(clock: Clock): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#unsettled.clear();
    await new Promise<void>((resolve) => {
      const timer = clock.timer(CLOSE_MS, resolve);
      const end = (): void => {
        timer.cancel();
        resolve();
      };
      this.#channel.once('close', end);
      this.#channel.close().then(end, end);
    });
  }
}

export function leaseLost(why: string): Failure {
  const text = `The delivery cannot be settled any more: ${why}. What was not acknowledged, the broker delivers again.`;
  return new Failure('rejected', 'LEASE_LOST', text, { reached: false });
}
