/** A queue: messages in order, consumers in turn, deliveries until they are settled. */
import type { Content } from './simulator-content';

export interface Stored {
  readonly content: Content;
  readonly exchange: string;
  readonly key: string;
  /** Times that it came back. */
  returns: number;
  redelivered: boolean;
}
export interface QueueSettings {
  readonly kind: string;
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly maxLength: number | undefined;
  readonly rejectWhenFull: boolean;
  readonly deliveryLimit: number | undefined;
  readonly deadExchange: string | undefined;
  readonly deadKey: string | undefined;
  readonly single: boolean;
  readonly ttl: number | undefined;
}
/** Takes a message, or says that it has enough. */
export interface Taker {
  readonly tag: string;
  readonly priority: number;
  readonly exclusive: boolean;
  take(queue: Queue, message: Stored): boolean;
  /** The queue is gone. */
  cancelled(): void;
}
export type Dead = (queue: Queue, message: Stored, reason: 'rejected' | 'maxlen' | 'delivery_limit') => void;

/** No client may make a queue longer than this, whatever it declares. */
const LONGEST = 20_000;

export class Queue {
  readonly name: string;
  readonly settings: QueueSettings;
  /** The connection that alone may use it. */
  readonly owner: object | undefined;
  readonly takers: Taker[] = [];
  readonly #messages: Stored[] = [];
  readonly #dead: Dead;
  #turn = 0;

  constructor(name: string, settings: QueueSettings, owner: object | undefined, dead: Dead) {
    this.name = name;
    this.settings = settings;
    this.owner = owner;
    this.#dead = dead;
  }

  get length(): number {
    return this.#messages.length;
  }

  /** False: the queue is full and refuses. */
  put(message: Stored): boolean {
    const most = Math.min(this.settings.maxLength ?? LONGEST, LONGEST);
    if (this.#messages.length >= most) {
      if (this.settings.rejectWhenFull || this.settings.maxLength === undefined) return false;
      const oldest = this.#messages.shift();
      if (oldest) this.#dead(this, oldest, 'maxlen');
    }
    this.#messages.push(message);
    this.deliver();
    return true;
  }

  get(): Stored | undefined {
    return this.#messages.shift();
  }

  purge(): number {
    return this.#messages.splice(0).length;
  }

  add(taker: Taker): void {
    this.takers.push(taker);
    this.takers.sort((a, b) => b.priority - a.priority);
    this.deliver();
  }

  remove(taker: Taker): void {
    const at = this.takers.indexOf(taker);
    if (at < 0) return;
    this.takers.splice(at, 1);
    this.deliver();
  }

  /** Back to the front, or dead when it came back too often. */
  requeue(message: Stored): void {
    message.redelivered = true;
    message.returns += 1;
    const limit = this.settings.deliveryLimit;
    if (limit !== undefined && message.returns > limit) return this.#dead(this, message, 'delivery_limit');
    this.#messages.unshift(message);
    this.deliver();
  }

  reject(message: Stored): void {
    this.#dead(this, message, 'rejected');
  }

  deliver(): void {
    for (;;) {
      const [message] = this.#messages;
      if (!message || !this.#offer(message)) return;
    }
  }

  /** The message leaves the queue before its taker sees it, because that may end in here again. */
  #offer(message: Stored): boolean {
    const takers = this.settings.single ? this.takers.slice(0, 1) : this.#inTurn();
    this.#messages.shift();
    if (takers.some((taker) => taker.take(this, message))) return true;
    this.#messages.unshift(message);
    return false;
  }

  /** By priority, and in turn among equals. */
  #inTurn(): Taker[] {
    this.#turn += 1;
    const best = this.takers[0]?.priority ?? 0;
    const equal = this.takers.filter(({ priority }) => priority === best);
    const start = equal.length > 0 ? this.#turn % equal.length : 0;
    return [...equal.slice(start), ...equal.slice(0, start), ...this.takers.slice(equal.length)];
  }
}
