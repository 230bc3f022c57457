/** One open connection to a broker: its publishers, its consumers, and what the broker says about itself. */
import type { Socket } from 'node:net';
import type { Channel, ChannelModel } from 'amqplib';
import { isFailure, type Clock, type Scope } from '../../lib/core';
import { closedBy, protocolFailure } from './classify';
import { Consumer, leaseLost, type ConsumeOptions, type ConsumerEvents, type Settlement } from './consumer';
import { during } from './during';
import type { RawConnection } from './library';
import type { Outgoing } from './message';
import { Publishers } from './publishers';

export interface SessionParts {
  readonly connection: RawConnection;
  readonly model: ChannelModel;
  readonly socket: Socket;
  /** For pings. */
  readonly control: Channel;
  readonly maxBody: number;
  readonly clock: Clock;
  readonly lost: (error: unknown) => void;
  /** Queues that the connection declares with a single active consumer. */
  readonly single: ReadonlySet<string>;
}

const CLOSE_MS = 1000;

export class Session {
  readonly #parts: SessionParts;
  readonly #publishers: Publishers;
  readonly #consumers = new Map<string, Consumer>();
  readonly #watchers = new Set<(reason: string | undefined) => void>();
  #blocked: string | undefined;
  /** What ended the connection. */
  #error: unknown;
  #closing = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { model, connection, maxBody, control } = parts;
    this.#publishers = new Publishers(model, { maxBody, frameMax: connection.frameMax });
    model.on('blocked', (reason: unknown) => this.#block(typeof reason === 'string' ? reason : ''));
    model.on('unblocked', () => this.#block(undefined));
    model.on('error', (error) => (this.#error ??= error));
    model.on('close', (error) => this.#lost(this.#error ?? error));
    control.on('close', () => this.#lostLater(new Error('channel closed')));
    // The broker may have said so before anyone listened.
    if (connection.blocked) this.#block('resource alarm');
  }

  /** Why the broker takes no messages; undefined while it does. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** Calls with each change, and at once. Returns the function that ends it. */
  watchBlocked(fn: (reason: string | undefined) => void): () => void {
    this.#watchers.add(fn);
    fn(this.#blocked);
    return () => this.#watchers.delete(fn);
  }

  /** Resolves when the broker has confirmed the message. */
  publish(out: Outgoing, scope: Scope): Promise<void> {
    return this.#publishers.publish(out, scope);
  }

  async consume(
    options: ConsumeOptions,
    events: ConsumerEvents,
  ): Promise<{ consumer: Consumer; others: number }> {
    const started = await Consumer.start(this.#parts.model, options, {
      delivered: (delivery) => events.delivered(delivery),
      ended: (failure) => {
        events.ended(failure);
        // A new session looks at the broker's queues again, and starts every trigger anew.
        this.#lostLater(failure);
      },
    });
    this.#consumers.set(started.consumer.id, started.consumer);
    return started;
  }

  async endConsumer(consumer: Consumer): Promise<void> {
    this.#consumers.delete(consumer.id);
    await consumer.close(this.#parts.clock);
  }

  /** @throws Failure LEASE_LOST when the delivery is not in our hands any more. */
  async settle(token: string, how: Settlement, scope: Scope): Promise<void> {
    const consumer = this.#consumers.get(token.slice(0, token.lastIndexOf(':')));
    if (!consumer) throw leaseLost('its connection or its trigger was closed since');
    await during(scope, consumer.settle(token, how));
  }

  /** Setting the prefetch of a channel without consumers changes nothing; a broker that lives answers. */
  async ping(scope: Scope): Promise<void> {
    await during(scope, this.#parts.control.prefetch(1));
  }

  isSingle(queue: string): boolean {
    return this.#parts.single.has(queue);
  }

  #block(reason: string | undefined): void {
    this.#blocked = reason;
    this.#publishers.block(reason);
    for (const watcher of [...this.#watchers]) watcher(reason);
  }

  #lost(error: unknown): void {
    if (this.#closing) return;
    this.#parts.lost(isFailure(error) ? error : (closedBy(error) ?? protocolFailure(error)));
  }

  /** Channels end just before their connection, which knows the reason and goes first. */
  #lostLater(error: unknown): void {
    queueMicrotask(() => this.#lost(error));
  }

  /** Says goodbye, but waits no longer than a second for the answer. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const { model, socket, clock } = this.#parts;
    await new Promise<void>((resolve) => {
      const timer = clock.timer(CLOSE_MS, resolve);
      const end = (): void => {
        timer.cancel();
        resolve();
      };
      model.once('close', end);
      model.close().then(end, end);
    });
    // Ends the library's heartbeats too, should the broker not have answered.
    if (!socket.destroyed) socket.destroy(new Error('Unexpected close'));
    this.#consumers.clear();
    this.#watchers.clear();
  }
}
