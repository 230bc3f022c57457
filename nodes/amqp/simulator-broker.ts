/** What a virtual host holds, and what happens to a message that is published to it. */
import { withHeaders, type Content } from './simulator-content';
import { Queue, type QueueSettings, type Stored } from './simulator-queue';
import { matches, type Binding, type ExchangeKind } from './simulator-routing';
import { countField, textField, type Field } from './simulator-wire';

export interface Exchange {
  readonly name: string;
  readonly kind: ExchangeKind;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
}

/** What closes a channel, or with `hard` the connection. */
export class Refusal extends Error {
  readonly code: number;
  readonly hard: boolean;
  constructor(code: number, text: string, hard = false) {
    super(text);
    this.code = code;
    this.hard = hard;
  }
}

const NAMES: Readonly<Record<number, string>> = {
  403: 'ACCESS_REFUSED',
  404: 'NOT_FOUND',
  405: 'RESOURCE_LOCKED',
  406: 'PRECONDITION_FAILED',
  501: 'FRAME_ERROR',
  502: 'SYNTAX_ERROR',
  503: 'COMMAND_INVALID',
  504: 'CHANNEL_ERROR',
  505: 'UNEXPECTED_FRAME',
  506: 'RESOURCE_ERROR',
  530: 'NOT_ALLOWED',
  540: 'NOT_IMPLEMENTED',
};
export const refusal = (code: number, text: string, hard = false): Refusal =>
  new Refusal(code, `${NAMES[code] ?? 'ERROR'} - ${text}`, hard);

/** Exchanges, queues and bindings that clients may make, of each. */
const MOST = 1000;
/** Exchanges that a message may pass on its way. */
const HOPS = 16;
const STANDARD: readonly [string, ExchangeKind][] = [
  ['', 'direct'],
  ['amq.direct', 'direct'],
  ['amq.fanout', 'fanout'],
  ['amq.topic', 'topic'],
  ['amq.headers', 'headers'],
];

export class Broker {
  readonly exchanges = new Map<string, Exchange>();
  readonly queues = new Map<string, Queue>();
  #bindings: Binding[] = [];
  #named = 0;

  constructor() {
    for (const [name, kind] of STANDARD) {
      this.exchanges.set(name, { name, kind, durable: true, autoDelete: false, internal: false });
    }
  }

  exchange(name: string): Exchange {
    const found = this.exchanges.get(name);
    if (!found) throw refusal(404, `no exchange '${name}' in vhost '/'`);
    return found;
  }

  queue(name: string, asker?: object): Queue {
    const found = this.queues.get(name);
    if (!found) throw refusal(404, `no queue '${name}' in vhost '/'`);
    if (found.owner && found.owner !== asker) {
      throw refusal(405, `cannot obtain exclusive access to locked queue '${name}' in vhost '/'`);
    }
    return found;
  }

  declareExchange(wanted: Exchange): void {
    const present = this.exchanges.get(wanted.name);
    if (present) return demandSame(`exchange '${wanted.name}'`, wanted, present);
    this.#reserve(wanted.name, this.exchanges.size);
    this.exchanges.set(wanted.name, wanted);
  }

  declareQueue(name: string, settings: QueueSettings, owner: object): Queue {
    if (this.queues.has(name)) {
      const present = this.queue(name, owner);
      demandSame(`queue '${name}'`, settings, present.settings);
      return present;
    }
    this.#reserve(name, this.queues.size);
    this.#named += 1;
    const own = settings.exclusive ? owner : undefined;
    const queue = new Queue(name === '' ? `amq.gen-${this.#named}` : name, settings, own, this.#bury);
    this.queues.set(queue.name, queue);
    return queue;
  }

  #reserve(name: string, present: number): void {
    if (name.startsWith('amq.')) throw refusal(403, `name '${name}' contains reserved prefix 'amq.*'`);
    if (present >= MOST) throw refusal(506, 'the simulator holds no more', true);
  }

  deleteQueue(name: string): number {
    const queue = this.queues.get(name);
    if (!queue) return 0;
    this.queues.delete(name);
    this.#bindings = this.#bindings.filter(
      ({ kind, destination }) => kind !== 'queue' || destination !== name,
    );
    for (const taker of queue.takers.splice(0)) taker.cancelled();
    return queue.purge();
  }

  deleteExchange(name: string): void {
    this.exchanges.delete(name);
    this.#bindings = this.#bindings.filter(
      ({ kind, source, destination }) => source !== name && (kind !== 'exchange' || destination !== name),
    );
  }

  bind(binding: Binding): void {
    if (binding.source === '') throw refusal(403, 'operation not permitted on the default exchange');
    if (this.#bindings.length >= MOST * 4) throw refusal(506, 'the simulator holds no more', true);
    this.unbind(binding);
    this.#bindings.push(binding);
  }

  unbind({ source, kind, destination, key }: Binding): void {
    this.#bindings = this.#bindings.filter(
      (one) =>
        one.source !== source || one.kind !== kind || one.destination !== destination || one.key !== key,
    );
  }

  /** `routed`: some queue matched; `taken`: none of them refused. */
  publish(
    exchange: string,
    key: string,
    content: Content,
  ): { readonly routed: boolean; readonly taken: boolean } {
    const queues = new Set<Queue>();
    this.#route(this.exchange(exchange), key, content.headers, queues, 0);
    const answers = [...queues].map((queue) =>
      queue.put({ content, exchange, key, returns: 0, redelivered: false }),
    );
    return { routed: queues.size > 0, taken: answers.every(Boolean) };
  }

  #route(exchange: Exchange, key: string, headers: readonly Field[], found: Set<Queue>, hops: number): void {
    if (exchange.name === '') {
      const queue = this.queues.get(key);
      if (queue) found.add(queue);
      return;
    }
    if (hops > HOPS) return;
    for (const binding of this.#bindings) {
      if (binding.source !== exchange.name || !matches(exchange.kind, binding, key, headers)) continue;
      if (binding.kind === 'queue') {
        const queue = this.queues.get(binding.destination);
        if (queue) found.add(queue);
      } else {
        const next = this.exchanges.get(binding.destination);
        if (next) this.#route(next, key, headers, found, hops + 1);
      }
    }
  }

  /** Dead letters go to the queue's exchange, if it has one that exists. */
  readonly #bury = (queue: Queue, { content, key }: Stored, reason: string): void => {
    const { deadExchange, deadKey } = queue.settings;
    if (deadExchange === undefined || !this.exchanges.has(deadExchange)) return;
    const seen = content.headers.some((field) => field.key === 'x-first-death-queue');
    const death = [textField('x-first-death-queue', queue.name), textField('x-first-death-reason', reason)];
    const marked = withHeaders(content, seen ? [countField('x-death-count', 2)] : death);
    // A circle of dead-letter exchanges ends after its second turn.
    if (content.headers.some((field) => field.key === 'x-death-count')) return;
    this.publish(deadExchange, deadKey ?? key, marked);
  };

  /** A connection is gone, and with it the queues that were its own. */
  release(owner: object): void {
    for (const queue of [...this.queues.values()]) if (queue.owner === owner) this.deleteQueue(queue.name);
  }
}

/** In the words of RabbitMQ, which clients show. */
function demandSame(what: string, wanted: object, present: object): void {
  const has = present as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(wanted)) {
    if (has[name] === value) continue;
    throw refusal(
      406,
      `inequivalent arg '${name}' for ${what} in vhost '/': received '${String(value)}' but current is '${String(has[name])}'`,
    );
  }
}
