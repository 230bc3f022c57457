/** One channel: content, consumers, deliveries that are not settled, confirmations. */
import { refusal, type Broker } from './simulator-broker';
import { contentFrames, readHeader, withHeaders, type Content } from './simulator-content';
import type { Queue, Stored, Taker } from './simulator-queue';
import { bit, countField, method, type Reader, shortString, u16, u64, u8 } from './simulator-wire';

/** What a channel needs of its connection. */
export interface Line {
  readonly broker: Broker;
  /** Names the connection; owns its exclusive queues. */
  readonly owner: object;
  readonly frameMax: number;
  readonly maxMessage: number;
  /** The client does not read: nothing more is delivered for now. */
  readonly full: boolean;
  /** Confirmations are kept back. */
  readonly held: boolean;
  send(bytes: Buffer): void;
}

interface Unsettled {
  readonly queue: Queue;
  readonly message: Stored;
  readonly consumer: Consumer | undefined;
}
interface Consumer extends Taker {
  readonly queue: Queue;
  open: number;
}
interface Publishing {
  readonly exchange: string;
  readonly key: string;
  readonly mandatory: boolean;
  content?: Content;
  left: number;
  readonly parts: Buffer[];
}

/** Deliveries in a client's hands at once, whatever its prefetch says. */
const MOST_OPEN = 5000;
const MOST_CONSUMERS = 100;

export class ServerChannel {
  readonly number: number;
  readonly #line: Line;
  readonly #consumers = new Map<string, Consumer>();
  readonly #unsettled = new Map<number, Unsettled>();
  readonly #kept: Buffer[] = [];
  #publishing: Publishing | undefined;
  #tag = 0;
  #published = 0;
  #confirming = false;
  #prefetch = 0;
  #closed = false;

  constructor(number: number, line: Line) {
    this.number = number;
    this.#line = line;
  }

  get publishing(): boolean {
    return this.#publishing !== undefined;
  }

  confirmSelect(): void {
    this.#confirming = true;
  }

  qos(count: number): void {
    this.#prefetch = count;
    this.resume();
  }

  consume(
    name: string,
    queue: Queue,
    options: { noAck: boolean; exclusive: boolean; priority: number },
  ): void {
    if (this.#consumers.has(name)) throw refusal(530, `attempt to reuse consumer tag '${name}'`, true);
    if (this.#consumers.size >= MOST_CONSUMERS)
      throw refusal(506, 'the simulator takes no more consumers', true);
    if (queue.takers.some((one) => one.exclusive) || (options.exclusive && queue.takers.length > 0)) {
      throw refusal(403, `queue '${queue.name}' in vhost '/' in exclusive use`);
    }
    const limit = this.#prefetch || MOST_OPEN;
    const consumer: Consumer = {
      tag: name,
      queue,
      priority: options.priority,
      exclusive: options.exclusive,
      open: 0,
      take: (from, message) => {
        if (this.#line.full || (!options.noAck && consumer.open >= limit)) return false;
        this.#deliver(consumer, from, message, options.noAck);
        return true;
      },
      cancelled: () => {
        this.#consumers.delete(name);
        this.#line.send(method(this.number, 60, 30, shortString(name), u8(1)));
      },
    };
    this.#consumers.set(name, consumer);
  }

  /** After the answer to the subscription, not before it. */
  begin(name: string): void {
    const consumer = this.#consumers.get(name);
    consumer?.queue.add(consumer);
  }

  cancel(name: string): void {
    const consumer = this.#consumers.get(name);
    this.#consumers.delete(name);
    consumer?.queue.remove(consumer);
  }

  #deliver(consumer: Consumer, queue: Queue, message: Stored, noAck: boolean): void {
    this.#tag += 1;
    if (!noAck) {
      consumer.open += 1;
      this.#unsettled.set(this.#tag, { queue, message, consumer });
    }
    const { exchange, key, redelivered } = message;
    const about = [shortString(consumer.tag), u64(this.#tag), u8(redelivered ? 1 : 0)];
    const start = method(this.number, 60, 60, ...about, shortString(exchange), shortString(key));
    this.#line.send(Buffer.concat([start, ...this.#frames(queue, message)]));
  }

  #frames(queue: Queue, { content, returns }: Stored): Buffer[] {
    const counted = queue.settings.kind === 'quorum' && returns > 0;
    const shown = counted ? withHeaders(content, [countField('x-delivery-count', returns)]) : content;
    return contentFrames(this.number, shown, this.#line.frameMax);
  }

  /** The frames of basic.get-ok, without the message count. */
  got(queue: Queue, message: Stored, noAck: boolean): { readonly tag: number; readonly frames: Buffer[] } {
    this.#tag += 1;
    if (!noAck) this.#unsettled.set(this.#tag, { queue, message, consumer: undefined });
    return { tag: this.#tag, frames: this.#frames(queue, message) };
  }

  settle(tag: number, multiple: boolean, how: 'ack' | 'reject' | 'requeue'): void {
    const tags = multiple ? [...this.#unsettled.keys()].filter((one) => tag === 0 || one <= tag) : [tag];
    const found = tags.map((one) => this.#unsettled.get(one));
    if (found.includes(undefined)) throw refusal(406, `unknown delivery tag ${tag}`);
    tags.forEach((one) => this.#unsettled.delete(one));
    // The newest first, so that the oldest ends up in front.
    for (const one of found.reverse()) if (one) this.#end(one, how);
    this.resume();
  }

  #end({ queue, message, consumer }: Unsettled, how: 'ack' | 'reject' | 'requeue'): void {
    if (consumer) consumer.open -= 1;
    if (how === 'requeue') queue.requeue(message);
    else if (how === 'reject') queue.reject(message);
  }

  publish(exchange: string, key: string, mandatory: boolean): void {
    this.#publishing = { exchange, key, mandatory, left: 0, parts: [] };
  }

  header(payload: Buffer): void {
    const current = this.#publishing;
    if (!current || current.content) throw refusal(505, 'a header frame without a method', true);
    const { size, content } = readHeader(payload);
    if (size > this.#line.maxMessage) {
      this.#publishing = undefined;
      throw refusal(406, `message size ${size} is larger than configured max size ${this.#line.maxMessage}`);
    }
    current.content = content;
    current.left = size;
    if (size === 0) this.#complete(current, content);
  }

  body(payload: Buffer): void {
    const current = this.#publishing;
    if (!current?.content || payload.length > current.left || payload.length === 0) {
      throw refusal(505, 'a body frame that does not fit', true);
    }
    current.left -= payload.length;
    current.parts.push(Buffer.from(payload));
    if (current.left === 0)
      this.#complete(current, { ...current.content, body: Buffer.concat(current.parts) });
  }

  #complete({ exchange, key, mandatory }: Publishing, content: Content): void {
    this.#publishing = undefined;
    const { broker } = this.#line;
    if (broker.exchange(exchange).internal) {
      throw refusal(403, `cannot publish to internal exchange '${exchange}' in vhost '/'`);
    }
    const { routed, taken } = broker.publish(exchange, key, content);
    if (!routed && mandatory) this.#return(exchange, key, content);
    if (!this.#confirming) return;
    this.#published += 1;
    const answer = method(this.number, 60, taken ? 80 : 120, u64(this.#published), u8(0));
    if (this.#line.held) this.#kept.push(answer);
    else this.#line.send(answer);
  }

  #return(exchange: string, key: string, content: Content): void {
    const about = [u16(312), shortString('NO_ROUTE'), shortString(exchange), shortString(key)];
    const frames = contentFrames(this.number, content, this.#line.frameMax);
    this.#line.send(Buffer.concat([method(this.number, 60, 50, ...about), ...frames]));
  }

  /** Confirmations that were kept back. */
  release(): void {
    for (const answer of this.#kept.splice(0)) this.#line.send(answer);
  }

  resume(): void {
    for (const { queue } of [...this.#consumers.values()]) queue.deliver();
  }

  /** Consumers end, and what is not settled goes back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const name of [...this.#consumers.keys()]) this.cancel(name);
    for (const one of [...this.#unsettled.values()].reverse()) one.queue.requeue(one.message);
    this.#unsettled.clear();
  }
}

/** The settlements of class basic: 80 acknowledge, 90 reject, 120 negative acknowledge. */
export function settlement(channel: ServerChannel, methodId: number, args: Reader): void {
  const tag = args.u64();
  const bits = args.u8();
  if (methodId === 80) return channel.settle(tag, bit(bits, 0), 'ack');
  const requeue = bit(bits, methodId === 90 ? 0 : 1);
  channel.settle(tag, methodId === 120 && bit(bits, 0), requeue ? 'requeue' : 'reject');
}
