/**
 * Compares the tables of the connection with what the broker has. A passive declaration says whether something
 * exists; declaring it in the same form changes nothing, and in another form is refused by the broker with the reason.
 */
import type { Channel, ChannelModel } from 'amqplib';
import { Failure, type Log } from '../../lib/core';
import type { ValuesOf } from '../../lib/spec';
import { closeOf, type Close } from './classify';
import type { fields } from './connection-fields';
import { encodeTable } from './headers';

type Config = Pick<ValuesOf<typeof fields>, 'declare' | 'exchanges' | 'queues' | 'bindings'>;
type ExchangeRow = Config['exchanges'][number];
type QueueRow = Config['queues'][number];
type BindingRow = Config['bindings'][number];

interface Item {
  /** 'Exchange "plant"'. */
  readonly name: string;
  /** Undefined where the protocol has no question for it. */
  readonly look: ((channel: Channel) => Promise<unknown>) | undefined;
  readonly declare: (channel: Channel) => Promise<unknown>;
}

const MOST_PROBLEMS = 5;

/** @throws Failure `config` that lists what is missing or differs. */
export async function checkTopology(model: ChannelModel, config: Config, log: Log): Promise<void> {
  const items = itemsOf(config);
  if (items.length === 0) return;
  const lane = new Lane(model);
  const problems: string[] = [];
  for (const item of items) {
    const problem = await checkItem(lane, item, config.declare === 'declare', log);
    if (problem) problems.push(problem);
    if (problems.length === MOST_PROBLEMS) break;
  }
  await lane.close();
  if (problems.length > 0) {
    throw new Failure('config', 'BAD_CONFIG', problems.join(' '), { reached: false, details: { problems } });
  }
}

/** Returns what is wrong, as a sentence. */
async function checkItem(lane: Lane, item: Item, mayDeclare: boolean, log: Log): Promise<string | undefined> {
  const absent = item.look ? await lane.run(item.look) : undefined;
  if (absent && absent.code !== 404) return trouble(item, absent);
  if (!mayDeclare && absent) return `${item.name} does not exist on the broker.`;
  // A binding cannot be asked for, only made.
  if (!mayDeclare && !item.look) return undefined;
  const refused = await lane.run(item.declare);
  if (!refused) return undefined;
  if (refused.code === 403 && item.look && !absent) {
    log.warn(`${item.name} exists but was not compared: the user may not configure it.`);
    return undefined;
  }
  return trouble(item, refused);
}

function trouble({ name }: Item, { code, text }: Close): string {
  const reason = text.replace(/^[A-Z_]+ - /, '').slice(0, 300);
  if (code === 405) {
    const sentence = `${name} is in use by another connection alone: ${reason}.`;
    throw new Failure('transient', 'PEER_ERROR', sentence, { reached: false });
  }
  if (code === 406) return `${name} differs from what the broker has, and is left as it is: ${reason}.`;
  if (code === 404) return `${name} cannot be made because a part of it is missing: ${reason}.`;
  if (code === 403) return `${name} may not be made by this user: ${reason}.`;
  return `${name} was refused by the broker: ${reason}.`;
}

/** A channel that is replaced whenever the broker closes it, which is how the broker says no. */
class Lane {
  readonly #model: ChannelModel;
  #channel: Channel | undefined;
  #error: unknown;

  constructor(model: ChannelModel) {
    this.#model = model;
  }

  /** The broker's no, if it says one. */
  async run(act: (channel: Channel) => Promise<unknown>): Promise<Close | undefined> {
    const channel = (this.#channel ??= await this.#start());
    try {
      await act(channel);
      return undefined;
    } catch (error) {
      this.#channel = undefined;
      const close = closeOf(error) ?? closeOf(this.#error);
      if (!close) throw error;
      return close;
    }
  }

  async #start(): Promise<Channel> {
    this.#error = undefined;
    const channel = await this.#model.createChannel();
    channel.on('error', (error) => (this.#error = error));
    return channel;
  }

  async close(): Promise<void> {
    await this.#channel?.close();
  }
}

function itemsOf({ exchanges, queues, bindings }: Config): readonly Item[] {
  return [...exchanges.map(exchangeItem), ...queues.map(queueItem), ...bindings.map(bindingItem)];
}

function exchangeItem(row: ExchangeRow): Item {
  const { name, kind, durable, autoDelete, internal } = row;
  const options = { durable, autoDelete, internal, arguments: argumentsOf(row.more, `Exchange "${name}"`) };
  return {
    name: `Exchange "${name}"`,
    look: (channel) => channel.checkExchange(name),
    declare: (channel) => channel.assertExchange(name, kind, options),
  };
}

function queueItem(row: QueueRow): Item {
  const { name, durable, exclusive } = row;
  const options = { durable, exclusive, autoDelete: false, arguments: queueArguments(row) };
  return {
    name: `Queue "${name}"`,
    look: (channel) => channel.checkQueue(name),
    declare: (channel) => channel.assertQueue(name, options),
  };
}

function queueArguments(row: QueueRow): Readonly<Record<string, unknown>> {
  const { kind, deadExchange, deadKey, ttl, maxLength, overflow, deliveryLimit, single } = row;
  return {
    ...argumentsOf(row.more, `Queue "${row.name}"`),
    ...(kind === 'default' ? {} : { 'x-queue-type': kind }),
    ...(deadExchange === '' ? {} : { 'x-dead-letter-exchange': deadExchange }),
    ...(deadKey === '' ? {} : { 'x-dead-letter-routing-key': deadKey }),
    ...(ttl === undefined ? {} : { 'x-message-ttl': Math.round(ttl) }),
    ...(maxLength === undefined ? {} : { 'x-max-length': maxLength }),
    ...(overflow === 'default' ? {} : { 'x-overflow': overflow }),
    ...(deliveryLimit === undefined ? {} : { 'x-delivery-limit': deliveryLimit }),
    ...(single ? { 'x-single-active-consumer': true } : {}),
  };
}

function bindingItem(row: BindingRow): Item {
  const { source, destination, kind, key } = row;
  const name = `The binding of "${source}" to ${kind} "${destination}"`;
  const args = argumentsOf(row.more, name);
  return {
    name,
    look: undefined,
    declare: (channel) =>
      kind === 'queue'
        ? channel.bindQueue(destination, source, key, args)
        : channel.bindExchange(destination, source, key, args),
  };
}

/** @throws Failure `config` that names the row. */
export function argumentsOf(json: string, name: string): Readonly<Record<string, unknown>> {
  if (json === '') return {};
  try {
    return encodeTable(JSON.parse(json), 'Arguments').table;
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : '';
    throw new Failure('config', 'BAD_CONFIG', `${name}: the arguments are not a JSON object: ${why}`, {
      reached: false,
    });
  }
}
