/** What the methods of classes exchange, queue, basic and confirm do. Arguments in the order of the specification. */
import { refusal, type Exchange } from './simulator-broker';
import { settlement, type Line, type ServerChannel } from './simulator-channel';
import type { QueueSettings } from './simulator-queue';
import { EXCHANGE_KINDS, type ExchangeKind } from './simulator-routing';
import { bit, method, plain, shortString, u32, u64, u8, type Field, type Reader } from './simulator-wire';

/** Handles one method of an open channel; `next` names consumers that the client leaves to us. */
export function handle(
  line: Line,
  channel: ServerChannel,
  id: number,
  args: Reader,
  next: () => string,
): void {
  const handler = HANDLERS[id];
  if (!handler) throw refusal(540, `method ${id >>> 16}.${id & 0xffff} is not implemented`, true);
  handler({ line, channel, args, next, reply: replier(line, channel.number, id) });
}

interface Context {
  readonly line: Line;
  readonly channel: ServerChannel;
  readonly args: Reader;
  readonly next: () => string;
  /** Answers with the method whose number is one higher. */
  readonly reply: (...parts: Buffer[]) => void;
}
const idOf = (classId: number, methodId: number): number => classId * 65_536 + methodId;

function replier(line: Line, number: number, id: number): Context['reply'] {
  // Only unbinding of exchanges (40) leaves a gap before its answer (51).
  const answer = id === idOf(40, 40) ? 51 : (id & 0xffff) + 1;
  return (...parts) => line.send(method(number, id >>> 16, answer, ...parts));
}

const HANDLERS: Readonly<Record<number, (context: Context) => void>> = {
  [idOf(40, 10)]: declareExchange,
  [idOf(40, 20)]: ({ line, args, reply }) => {
    args.u16();
    line.broker.deleteExchange(args.short());
    if (!bit(args.u8(), 1)) reply();
  },
  [idOf(40, 30)]: (context) => bindExchange(context, true),
  [idOf(40, 40)]: (context) => bindExchange(context, false),
  [idOf(50, 10)]: declareQueue,
  [idOf(50, 20)]: bindQueue,
  [idOf(50, 30)]: ({ line, args, reply }) => {
    args.u16();
    const count = line.broker.queue(args.short(), line.owner).purge();
    if (!bit(args.u8(), 0)) reply(u32(count));
  },
  [idOf(50, 40)]: ({ line, args, reply }) => {
    args.u16();
    const count = line.broker.deleteQueue(args.short());
    if (!bit(args.u8(), 2)) reply(u32(count));
  },
  [idOf(50, 50)]: ({ line, args, reply }) => {
    args.u16();
    const [destination, source, key] = [args.short(), args.short(), args.short()];
    line.broker.unbind({ source, kind: 'queue', destination, key, args: args.table() });
    reply();
  },
  [idOf(60, 10)]: ({ channel, args, reply }) => {
    if (args.u32() !== 0) throw refusal(540, 'prefetch_size is not implemented', true);
    channel.qos(args.u16());
    reply();
  },
  [idOf(60, 20)]: consume,
  [idOf(60, 30)]: ({ channel, args, reply }) => {
    const tag = args.short();
    channel.cancel(tag);
    if (!bit(args.u8(), 0)) reply(shortString(tag));
  },
  [idOf(60, 40)]: ({ channel, args }) => {
    args.u16();
    const [exchange, key] = [args.short(), args.short()];
    channel.publish(exchange, key, bit(args.u8(), 0));
  },
  [idOf(60, 70)]: get,
  [idOf(60, 80)]: ({ channel, args }) => settlement(channel, 80, args),
  [idOf(60, 90)]: ({ channel, args }) => settlement(channel, 90, args),
  [idOf(60, 120)]: ({ channel, args }) => settlement(channel, 120, args),
  [idOf(85, 10)]: ({ channel, args, reply }) => {
    channel.confirmSelect();
    if (!bit(args.u8(), 0)) reply();
  },
};

function declareExchange({ line, args, reply }: Context): void {
  args.u16();
  const [name, kind] = [args.short(), args.short()];
  const bits = args.u8();
  args.table();
  if (bit(bits, 0)) line.broker.exchange(name);
  else {
    if (!EXCHANGE_KINDS.includes(kind)) throw refusal(503, `unknown exchange type '${kind}'`, true);
    const wanted: Exchange = {
      name,
      kind: kind as ExchangeKind,
      durable: bit(bits, 1),
      autoDelete: bit(bits, 2),
      internal: bit(bits, 3),
    };
    line.broker.declareExchange(wanted);
  }
  if (!bit(bits, 4)) reply();
}

function declareQueue({ line, args, reply }: Context): void {
  args.u16();
  const name = args.short();
  const bits = args.u8();
  const settings = settingsOf(bits, args.table());
  const { broker, owner } = line;
  const queue = bit(bits, 0) ? broker.queue(name, owner) : broker.declareQueue(name, settings, owner);
  if (!bit(bits, 4)) reply(shortString(queue.name), u32(queue.length), u32(queue.takers.length));
}

function settingsOf(bits: number, table: readonly Field[]): QueueSettings {
  const values = new Map(table.map((field) => [field.key, plain(field)]));
  const text = (key: string): string | undefined => {
    const value = values.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const count = (key: string): number | undefined => {
    const value = values.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= 0) return value;
    throw refusal(406, `invalid arg '${key}': a number that is not negative was expected`);
  };
  return {
    kind: text('x-queue-type') ?? 'classic',
    durable: bit(bits, 1),
    exclusive: bit(bits, 2),
    autoDelete: bit(bits, 3),
    maxLength: count('x-max-length'),
    rejectWhenFull: (text('x-overflow') ?? '').startsWith('reject-publish'),
    deliveryLimit: count('x-delivery-limit'),
    deadExchange: text('x-dead-letter-exchange'),
    deadKey: text('x-dead-letter-routing-key'),
    single: values.get('x-single-active-consumer') === true,
    ttl: count('x-message-ttl'),
  };
}

function bindQueue({ line, args, reply }: Context): void {
  args.u16();
  const [destination, source, key] = [args.short(), args.short(), args.short()];
  const silent = bit(args.u8(), 0);
  const table = args.table();
  line.broker.queue(destination, line.owner);
  line.broker.exchange(source);
  line.broker.bind({ source, kind: 'queue', destination, key, args: table });
  if (!silent) reply();
}

function bindExchange({ line, args, reply }: Context, add: boolean): void {
  args.u16();
  const [destination, source, key] = [args.short(), args.short(), args.short()];
  const silent = bit(args.u8(), 0);
  const binding = { source, kind: 'exchange', destination, key, args: args.table() } as const;
  line.broker.exchange(destination);
  line.broker.exchange(source);
  if (add) line.broker.bind(binding);
  else line.broker.unbind(binding);
  if (!silent) reply();
}

function consume({ line, channel, args, next, reply }: Context): void {
  args.u16();
  const name = args.short();
  const tag = args.short() || next();
  const bits = args.u8();
  const wish = args.table().find(({ key }) => key === 'x-priority');
  const priority = wish ? plain(wish) : 0;
  const options = {
    noAck: bit(bits, 1),
    exclusive: bit(bits, 2),
    priority: typeof priority === 'number' ? priority : 0,
  };
  channel.consume(tag, line.broker.queue(name, line.owner), options);
  if (!bit(bits, 3)) reply(shortString(tag));
  channel.begin(tag);
}

function get({ line, channel, args }: Context): void {
  args.u16();
  const queue = line.broker.queue(args.short(), line.owner);
  const message = queue.get();
  if (!message) return line.send(method(channel.number, 60, 72, shortString('')));
  const { tag, frames } = channel.got(queue, message, bit(args.u8(), 0));
  const { exchange, key, redelivered } = message;
  const about = [
    u64(tag),
    u8(redelivered ? 1 : 0),
    shortString(exchange),
    shortString(key),
    u32(queue.length),
  ];
  line.send(Buffer.concat([method(channel.number, 60, 71, ...about), ...frames]));
}
