/**
 * Publishes to one exchange over a confirm channel of its own: a broker that refuses the exchange closes that channel
 * alone, and everything on it was meant for this exchange. Confirmations are matched here by delivery tag.
 */
import type { ConfirmChannel, Message } from 'amqplib';
import { Failure, type Scope } from '../../lib/core';
import { blame, broken } from './blame';
import { closeOf, type Close } from './classify';
import { during } from './during';
import type { Outgoing } from './message';
import type { Room } from './room';

/** What happened to one message: undefined when the broker has it. */
type Verdict = Failure | undefined;

interface Deferred {
  readonly promise: Promise<Verdict>;
  readonly resolve: (verdict: Verdict) => void;
}

function deferred(): Deferred {
  let resolve: (verdict: Verdict) => void = () => {};
  const promise = new Promise<Verdict>((done) => (resolve = done));
  return { promise, resolve };
}

class Pending {
  readonly out: Outgoing;
  /** The broker's reason for having returned it. */
  returned: string | undefined;
  #promised = deferred();

  constructor(out: Outgoing) {
    this.out = out;
  }

  get verdict(): Promise<Verdict> {
    return this.#promised.promise;
  }

  settle(verdict: Verdict): void {
    this.#promised.resolve(verdict);
  }

  /** Those who wait are told; the confirmation is still due, and a repeat waits for that. */
  giveUp(failure: Failure): void {
    this.settle(failure);
    this.#promised = deferred();
  }
}

export class Publisher {
  readonly #channel: ConfirmChannel;
  readonly #room: Room;
  readonly #pending = new Map<number, Pending>();
  readonly #byId = new Map<string, Pending>();
  #tag = 0;
  #close: Close | undefined;
  #closed = false;

  /** `onClose` hears the end of the channel, whoever ended it. */
  constructor(channel: ConfirmChannel, room: Room, onClose: () => void) {
    this.#channel = channel;
    this.#room = room;
    channel.on('error', (error) => (this.#close = closeOf(error)));
    channel.on('close', () => {
      this.#closed = true;
      this.#failAll();
      onClose();
    });
    // Before the library's own listener: a confirmation of something never sent would spoil its books.
    channel.prependListener('ack', (fields: Confirmation) => this.#confirm(fields, false));
    channel.prependListener('nack', (fields: Confirmation) => this.#confirm(fields, true));
    channel.on('return', (message) => this.#returned(message));
  }

  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /**
   * Resolves when the broker has confirmed the message. A repeat of a message whose confirmation is still due waits
   * for that one instead of sending it twice.
   */
  async send(out: Outgoing, scope: Scope): Promise<void> {
    const pending = await this.#enter(out, scope);
    const verdict = await during(scope, pending.verdict);
    if (verdict) throw verdict;
  }

  async #enter(out: Outgoing, scope: Scope): Promise<Pending> {
    for (;;) {
      scope.throwIfAborted();
      const earlier = this.#byId.get(out.messageId);
      if (earlier && isRepeat(earlier.out, out)) return earlier;
      if (this.#closed) throw broken(false);
      // A returned message is told by its id, so only one of each is under way.
      if (earlier) await during(scope, earlier.verdict);
      else if (this.#room.tryTake(out.body.length)) return this.#write(out);
      else await this.#room.freed(scope);
    }
  }

  #write(out: Outgoing): Pending {
    try {
      this.#channel.publish(out.exchange, out.routingKey, out.body, out.options);
    } catch (error) {
      this.#room.give(out.body.length);
      throw unwritable(error);
    }
    const pending = new Pending(out);
    this.#tag += 1;
    this.#pending.set(this.#tag, pending);
    this.#byId.set(out.messageId, pending);
    return pending;
  }

  #confirm({ deliveryTag, multiple }: Confirmation, refused: boolean): void {
    if (!(deliveryTag >= 1 && deliveryTag <= this.#tag)) {
      throw new Error(`Invalid frame: a confirmation of message ${deliveryTag}, which was never sent`);
    }
    if (!multiple) return this.#settle(deliveryTag, refused);
    for (const tag of this.#pending.keys()) {
      if (tag > deliveryTag) return;
      this.#settle(tag, refused);
    }
  }

  #settle(tag: number, refused: boolean): void {
    const pending = this.#pending.get(tag);
    if (!pending) return;
    this.#leave(tag, pending);
    if (refused) pending.settle(nacked(pending.out));
    else
      pending.settle(pending.returned === undefined ? undefined : unroutable(pending.out, pending.returned));
  }

  #leave(tag: number, { out }: Pending): void {
    this.#pending.delete(tag);
    this.#byId.delete(out.messageId);
    this.#room.give(out.body.length);
  }

  /** Comes before the confirmation of the same message. */
  #returned({ properties, fields }: Message): void {
    const id: unknown = properties.messageId;
    const pending = typeof id === 'string' ? this.#byId.get(id) : undefined;
    const { replyText } = fields as { replyText?: unknown };
    if (pending) pending.returned = typeof replyText === 'string' ? replyText.slice(0, 100) : '';
  }

  #failAll(): void {
    const waiting = [...this.#pending];
    const failures = blame(
      waiting.map(([, { out }]) => out),
      this.#close,
    );
    waiting.forEach(([tag, pending], i) => {
      this.#leave(tag, pending);
      pending.settle(failures[i]);
    });
  }

  /** The broker stopped taking messages: nobody waits for what may take hours. */
  fail(failure: Failure): void {
    for (const pending of this.#pending.values()) pending.giveUp(failure);
  }

  /** Ends the channel of an idle publisher. */
  async close(): Promise<void> {
    if (!this.#closed) await this.#channel.close();
  }
}

interface Confirmation {
  readonly deliveryTag: number;
  readonly multiple: boolean;
}

function isRepeat(a: Outgoing, b: Outgoing): boolean {
  return a.key === b.key && a.routingKey === b.routingKey && a.body.equals(b.body);
}

function target({ exchange, routingKey }: Outgoing): string {
  return exchange === '' ? `queue "${routingKey}"` : `exchange "${exchange}" with key "${routingKey}"`;
}

/** Nothing was sent: the channel is closed, or the library cannot encode a property. */
function unwritable(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  if (name === 'IllegalOperationError') return broken(false);
  const text = `The message cannot be encoded: ${message.slice(0, 200)}.`;
  return new Failure('rejected', 'BAD_MESSAGE', text, { reached: false });
}

function nacked(out: Outgoing): Failure {
  const text = `The broker did not take the message for ${target(out)}. A queue may be full, or its replicas are down.`;
  return new Failure('transient', 'PEER_ERROR', text, { details: { messageId: out.messageId } });
}

function unroutable(out: Outgoing, reason: string): Failure {
  const { exchange, routingKey, messageId } = out;
  const text = `No queue takes the message for ${target(out)}: ${reason || 'no route'}. Check bindings and routing key.`;
  return new Failure('rejected', 'UNROUTABLE', text, {
    reached: false,
    details: { exchange, routingKey, messageId, reason },
  });
}
