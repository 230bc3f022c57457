/** The publishers of one session, one for each exchange that is used. */
import type { ChannelModel } from 'amqplib';
import { Failure, type Scope } from '../../lib/core';
import { broken } from './blame';
import { channelFailure, closeOf } from './classify';
import { during } from './during';
import type { Outgoing } from './message';
import { Publisher } from './publisher';
import { Room } from './room';

/** Channels that publish; exchanges beyond this take turns. */
const MOST = 64;
const LEAST_ROOM = 67_108_864;
/** The library writes tables into 64 KiB. */
const TABLE_BYTES = 60_000;

export interface Limits {
  readonly maxBody: number;
  readonly frameMax: number;
}

export class Publishers {
  readonly #model: ChannelModel;
  readonly #limits: Limits;
  readonly #room: Room;
  readonly #open = new Map<string, Promise<Publisher>>();
  readonly #ready = new Map<string, Publisher>();
  #blocked: Failure | undefined;

  constructor(model: ChannelModel, limits: Limits) {
    this.#model = model;
    this.#limits = limits;
    this.#room = new Room(Math.max(LEAST_ROOM, limits.maxBody * 2));
  }

  async publish(out: Outgoing, scope: Scope): Promise<void> {
    this.#check(out);
    if (this.#blocked) throw this.#blocked;
    const publisher = await during(scope, this.#publisher(out.exchange));
    await publisher.send(out, scope);
  }

  /** The broker takes no messages, or takes them again. */
  block(reason: string | undefined): void {
    this.#blocked = reason === undefined ? undefined : blocked('throttled', reason, false);
    if (reason === undefined) return;
    for (const publisher of this.#ready.values()) publisher.fail(blocked('transient', reason, true));
  }

  #check({ body, headerBytes }: Outgoing): void {
    const { maxBody, frameMax } = this.#limits;
    if (body.length > maxBody) {
      throw refused(
        `The message has ${body.length} bytes; "Largest message" of the connection allows ${maxBody}.`,
      );
    }
    // Properties are never split over frames.
    const room = Math.min(TABLE_BYTES, frameMax);
    if (headerBytes > room)
      throw refused(`The headers take more than the ${room} bytes that one frame holds.`);
  }

  #publisher(exchange: string): Promise<Publisher> {
    const present = this.#open.get(exchange);
    if (present) return present;
    if (this.#open.size >= MOST && !this.#evict()) {
      const text = `More than ${MOST} exchanges are published to at once. Send fewer messages at once.`;
      return Promise.reject(new Failure('transient', 'BULKHEAD_FULL', text, { reached: false }));
    }
    const opening = this.#start(exchange);
    this.#open.set(exchange, opening);
    opening.catch(() => this.#forget(exchange, opening));
    return opening;
  }

  async #start(exchange: string): Promise<Publisher> {
    const channel = await this.#model.createConfirmChannel();
    let close: unknown;
    let closed = false;
    channel.on('error', (error) => (close = error));
    channel.on('close', () => (closed = true));
    try {
      // An exchange that is missing is found before anything is sent to it. The default one always exists.
      if (exchange !== '') await channel.checkExchange(exchange);
    } catch (error) {
      const reason = closeOf(error) ?? closeOf(close);
      throw reason ? channelFailure(reason, `Exchange "${exchange}"`) : error;
    }
    if (closed) throw broken(false);
    const publisher = new Publisher(channel, this.#room, () => {
      if (this.#ready.get(exchange) !== publisher) return;
      this.#open.delete(exchange);
      this.#ready.delete(exchange);
    });
    this.#ready.set(exchange, publisher);
    return publisher;
  }

  #forget(exchange: string, opening: Promise<Publisher>): void {
    if (this.#open.get(exchange) === opening) this.#open.delete(exchange);
  }

  /** Makes room by closing the channel that has been open longest and has nothing to do. */
  #evict(): boolean {
    for (const [exchange, publisher] of this.#ready) {
      if (!publisher.idle) continue;
      this.#open.delete(exchange);
      this.#ready.delete(exchange);
      publisher.close().catch(() => {
        // It is gone all the same.
      });
      return true;
    }
    return false;
  }
}

function refused(text: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', text, { reached: false });
}

/** What may be on its way is only `transient`: it is taken when the broker has room again. */
function blocked(kind: 'throttled' | 'transient', reason: string, reached: boolean): Failure {
  const text = `The broker takes no messages for now (${reason.slice(0, 100) || 'no reason given'}). Check its memory and disk.`;
  return new Failure(kind, 'BROKER_BLOCKED', text, { reached, details: { reason: reason.slice(0, 100) } });
}
