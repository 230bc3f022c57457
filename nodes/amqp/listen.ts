/** A trigger's work: deliveries become messages. */
import type { ConsumeMessage } from 'amqplib';
import type { Log, Message, Scope } from '../../lib/core';
import type { Note } from '../../lib/roles';
import type { Consumer, Delivery } from './consumer';
import { OVERSIZE } from './guard';
import { decodeTable } from './headers';
import { decodePayload, type Format } from './payload';
import type { Session } from './session';

export interface ListenContext {
  readonly session: Session;
  readonly config: {
    readonly queue: string;
    readonly acknowledge: 'manual' | 'auto';
    readonly prefetch: number;
    readonly format: Format;
    readonly exclusive: boolean;
    readonly priority: number | undefined;
    readonly consumerTag: string;
    readonly offset: 'none' | 'first' | 'last' | 'next';
  };
  readonly emit: (msg: Message) => void;
  readonly note: Note;
  readonly log: Log;
  readonly scope: Scope;
}

export async function listen(ctx: ListenContext): Promise<() => Promise<void>> {
  const { session, config, note } = ctx;
  const { queue, offset } = config;
  const notes = new Notes(note);
  const state: { consumer?: Consumer; readonly early: Delivery[] } = { early: [] };
  const take = (consumer: Consumer, delivery: Delivery): void => {
    notes.standby(0);
    handle(ctx, consumer, delivery, notes);
  };
  const { consumer, others } = await session.consume(
    { ...config, arguments: offset === 'none' ? {} : { 'x-stream-offset': offset } },
    {
      // The first may come in one piece with the answer to the subscription.
      delivered: (delivery) => (state.consumer ? take(state.consumer, delivery) : state.early.push(delivery)),
      ended: () => notes.end(),
    },
  );
  state.consumer = consumer;
  if (session.isSingle(queue)) notes.standby(others);
  const unwatch = session.watchBlocked((reason) => notes.blocked(reason));
  for (const delivery of state.early) take(consumer, delivery);
  return async () => {
    unwatch();
    notes.end();
    await session.endConsumer(consumer);
  };
}

function handle(
  { config, emit, log, scope }: ListenContext,
  consumer: Consumer,
  delivery: Delivery,
  notes: Notes,
): void {
  // Nobody gets it any more: left unsettled, it goes back to the queue.
  if (scope.aborted) return;
  const { message, token } = delivery;
  const size = (message.properties as { [OVERSIZE]?: number })[OVERSIZE];
  if (size !== undefined) {
    consumer.settleNow(token, 'reject');
    notes.oversize(() =>
      log.warn(
        `A message of ${size} bytes in queue "${config.queue}" is larger than "Largest message" of the ` +
          'connection; it was rejected, and is a dead letter where the queue has a dead-letter exchange.',
      ),
    );
    return;
  }
  emit(messageOf(message, config, token));
  if (config.acknowledge === 'auto') consumer.settleNow(token, 'acknowledge');
}

function messageOf(
  { content, fields, properties }: ConsumeMessage,
  { queue, format, acknowledge }: ListenContext['config'],
  token: string,
): Message {
  const {
    contentType,
    contentEncoding,
    timestamp,
    headers: table,
    ...rest
  } = properties as unknown as Properties;
  const { payload, problem } = decodePayload(content, contentType, contentEncoding, format);
  const headers = decodeTable(table);
  const count = headers['x-delivery-count'];
  const known = { contentType, contentEncoding, ...rest };
  return {
    topic: fields.routingKey,
    payload,
    amqp: {
      ...(acknowledge === 'manual' ? { token } : {}),
      queue,
      exchange: fields.exchange,
      routingKey: fields.routingKey,
      redelivered: fields.redelivered,
      ...(typeof count === 'number' ? { deliveryCount: count } : {}),
      properties: {
        ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
        ...(typeof timestamp === 'number' ? { timestamp: isoOf(timestamp) } : {}),
      },
      headers,
      ...(problem === undefined ? {} : { problem }),
    },
  };
}
type Properties = Readonly<Record<string, unknown>>;

/** Some senders write milliseconds where the protocol means seconds. */
function isoOf(seconds: number): string {
  const ms = seconds > 100_000_000_000 ? seconds : seconds * 1000;
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

/** What the status says beside "connected". The most urgent wins. */
class Notes {
  readonly #note: Note;
  #blocked = false;
  #others = 0;
  #oversize = 0;

  constructor(note: Note) {
    this.#note = note;
  }

  blocked(reason: string | undefined): void {
    this.#blocked = reason !== undefined;
    this.#show();
  }

  standby(others: number): void {
    if (others === this.#others) return;
    this.#others = others;
    this.#show();
  }

  /** `log` is called for the first one only: a queue can be full of them. */
  oversize(log: () => void): void {
    this.#oversize += 1;
    if (this.#oversize === 1) log();
    this.#show();
  }

  end(): void {
    this.#note('');
  }

  #show(): void {
    if (this.#blocked) this.#note('the broker takes no messages', 'warn');
    else if (this.#oversize > 0) this.#note(`${this.#oversize} too large and rejected`, 'warn');
    else this.#note(this.#others > 0 ? 'standby, another consumer is active' : '');
  }
}
