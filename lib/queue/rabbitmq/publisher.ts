/** Confirmed publishing for all queues of a connection. */
import type { ConfirmChannel, Options } from 'amqplib';
import { Failure } from '../../core';
import { classifyRabbit } from './errors';
import type { Session } from './session';

const MOST_IN_FLIGHT = 20_000;
const MOST_BYTES_IN_FLIGHT = 67_108_864;
/** RabbitMQ's own limit may be lower; breaking that one ends the connection. */
export const LONGEST_BODY = 16_777_216;

export type Properties = Options.Publish & { readonly messageId: string };

export class Publisher {
  #records = 0;
  #bytes = 0;
  #idle: (() => void)[] = [];
  /** Ids of messages that came back because their queue is missing; their confirm follows. */
  readonly #returned = new Map<string, number>();

  private constructor(
    private readonly session: Session,
    private readonly channel: ConfirmChannel,
  ) {
    channel.on('return', (message) => {
      const id = String(message.properties.messageId);
      this.#returned.set(id, (this.#returned.get(id) ?? 0) + 1);
    });
  }

  static async open(session: Session): Promise<Publisher> {
    return new Publisher(session, await session.confirmChannel());
  }

  /** Resolves when the broker has it on disk. False: it refused, as a full queue does. */
  async send(queue: string, body: Uint8Array, properties: Properties): Promise<boolean> {
    this.#admit(body.byteLength);
    this.#records += 1;
    this.#bytes += body.byteLength;
    try {
      const taken = await this.session.run(() => this.#publish(queue, asBuffer(body), properties));
      if (this.#takeReturned(properties.messageId)) throw missing(queue);
      return taken;
    } catch (error) {
      throw classifyRabbit(error);
    } finally {
      this.#records -= 1;
      this.#bytes -= body.byteLength;
      if (this.#records === 0) for (const done of this.#idle.splice(0)) done();
    }
  }

  /** The cheapest request that needs no permission. */
  async ping(): Promise<void> {
    await this.session.run(() => this.channel.prefetch(0));
  }

  /** Resolves when nothing waits for a confirm, or after the time: a broker that is short of memory confirms late. */
  async idle(limitMs: number): Promise<void> {
    if (this.#records === 0) return;
    await new Promise<void>((resolve) => {
      const limit = this.session.clock.timer(limitMs, resolve);
      this.#idle.push(() => {
        limit.cancel();
        resolve();
      });
    });
  }

  #publish(queue: string, body: Buffer, properties: Properties): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.channel.publish('', queue, body, properties, (error: unknown) => {
        if (error === null) resolve(true);
        else if (isNack(error)) resolve(false);
        else reject(classifyRabbit(error));
      });
    });
  }

  #admit(bytes: number): void {
    if (bytes > LONGEST_BODY) {
      throw new Failure('rejected', 'NOT_STORABLE', `The message has more than ${LONGEST_BODY >> 20} MiB.`, {
        reached: false,
      });
    }
    const trouble = this.session.trouble ?? this.#overload(bytes);
    if (trouble !== undefined)
      throw new Failure('throttled', 'QUEUE_UNAVAILABLE', trouble, { reached: false });
  }

  #overload(bytes: number): string | undefined {
    if (this.#records < MOST_IN_FLIGHT && this.#bytes + bytes <= MOST_BYTES_IN_FLIGHT) return undefined;
    return `RabbitMQ has not confirmed the last ${this.#records} messages yet; no more are sent meanwhile.`;
  }

  #takeReturned(id: string): boolean {
    const times = this.#returned.get(id);
    if (times === undefined) return false;
    if (times > 1) this.#returned.set(id, times - 1);
    else this.#returned.delete(id);
    return true;
  }
}

const isNack = (error: unknown): boolean => error instanceof Error && error.message === 'message nacked';

const asBuffer = (body: Uint8Array): Buffer => Buffer.from(body.buffer, body.byteOffset, body.byteLength);

function missing(queue: string): Failure {
  const sentence = `The queue "${queue}" is not on RabbitMQ any more; the message was not stored. Deploy the flow to make it again.`;
  return new Failure('transient', 'QUEUE_UNAVAILABLE', sentence, { reached: false });
}
