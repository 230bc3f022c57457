/** One client: handshake, heartbeats, channels, and the end of all of them. */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../lib/core';
import { Refusal, refusal, type Broker } from './simulator-broker';
import { ServerChannel, type Line } from './simulator-channel';
import { handle } from './simulator-methods';
import {
  cutFrames,
  flagField,
  frame,
  FRAME_BODY,
  FRAME_HEADER,
  FRAME_HEARTBEAT,
  FRAME_METHOD,
  innerField,
  longString,
  method,
  plain,
  Reader,
  shortString,
  tableBytes,
  textField,
  u16,
  u32,
  u8,
  type Frame,
} from './simulator-wire';

export interface ServerSettings {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly user: string;
  readonly password: string;
  readonly maxMessage: number;
  /** Seconds; 0 for none. */
  readonly heartbeat: number;
  readonly held: () => boolean;
}

const GREETING = Buffer.from('AMQP\0\0\x09\x01', 'latin1');
const FRAME_MAX = 131_072;
const MOST_CHANNELS = 255;
const HANDSHAKE_MS = 10_000;
/** A client that does not read gets nothing more beyond this. */
const MOST_UNREAD = 4_194_304;

const CAPABILITIES = [
  'publisher_confirms',
  'exchange_exchange_bindings',
  'basic.nack',
  'consumer_cancel_notify',
  'connection.blocked',
  'authentication_failure_close',
];
const PROPERTIES = tableBytes([
  textField('product', 'Holdfast simulator'),
  textField('version', '1'),
  innerField(
    'capabilities',
    CAPABILITIES.map((name) => flagField(name, true)),
  ),
]);

type Stage = 'greeting' | 'start' | 'tune' | 'open' | 'running' | 'closing';

export class ServerConnection implements Line {
  readonly owner = {};
  readonly broker: Broker;
  readonly maxMessage: number;
  frameMax = FRAME_MAX;
  /** What the client calls itself. */
  name = '';
  readonly #socket: Socket;
  readonly #settings: ServerSettings;
  readonly #channels = new Map<number, ServerChannel>();
  /** Closed by us: what still comes on them is ignored until the client has agreed. */
  readonly #closing = new Set<number>();
  #stage: Stage = 'greeting';
  #rest: Buffer = Buffer.alloc(0);
  #timer: Timer | undefined;
  #heard = true;
  #silent = 0;
  #tags = 0;
  #full = false;

  constructor(socket: Socket, settings: ServerSettings) {
    this.#socket = socket;
    this.#settings = settings;
    this.broker = settings.broker;
    this.maxMessage = settings.maxMessage;
    this.#timer = settings.clock.timer(HANDSHAKE_MS, () => this.#stage !== 'running' && socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#gone());
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('drain', () => this.#drained());
  }

  get full(): boolean {
    return this.#full;
  }
  get held(): boolean {
    return this.#settings.held();
  }

  send(bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength <= MOST_UNREAD || this.#full) return;
    // Someone who asks without reading the answers is not listened to.
    this.#full = true;
    this.#socket.pause();
  }

  #drained(): void {
    this.#full = false;
    this.#socket.resume();
    for (const channel of this.#channels.values()) channel.resume();
  }

  release(): void {
    for (const channel of this.#channels.values()) channel.release();
  }
  /** The alarm that tells a client not to publish; an empty reason ends it. */
  block(reason: string): void {
    if (this.#stage !== 'running') return;
    this.send(reason === '' ? method(0, 10, 61) : method(0, 10, 60, shortString(reason)));
  }
  cut(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#heard = true;
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    if (this.#stage === 'greeting' && !this.#greet()) return;
    const cut = cutFrames(this.#rest, this.frameMax);
    if (!cut) return this.#end(refusal(501, 'the stream is not AMQP, or a frame is too large', true));
    this.#rest = cut.rest;
    for (const one of cut.frames) {
      if (this.#socket.destroyed) return;
      this.#accept(one);
    }
  }

  /** A client that speaks something else is told what is spoken here. */
  #greet(): boolean {
    if (this.#rest.length < GREETING.length) return false;
    if (!this.#rest.subarray(0, GREETING.length).equals(GREETING)) {
      this.#socket.end(GREETING);
      return false;
    }
    this.#rest = this.#rest.subarray(GREETING.length);
    this.#stage = 'start';
    this.send(method(0, 10, 10, u8(0), u8(9), PROPERTIES, longString('PLAIN'), longString('en_US')));
    return true;
  }

  #accept(one: Frame): void {
    try {
      if (one.type === FRAME_HEARTBEAT) return;
      if (one.channel === 0) return this.#control(one);
      if (this.#stage !== 'running') throw refusal(503, 'the connection is not open', true);
      this.#dispatch(one);
    } catch (error) {
      const known = error instanceof Refusal ? error : refusal(502, 'a frame cannot be read', true);
      if (known.hard || one.channel === 0) this.#end(known);
      else this.#endChannel(one.channel, known, one);
    }
  }

  #control({ type, payload }: Frame): void {
    if (type !== FRAME_METHOD) throw refusal(505, 'only methods belong on channel 0', true);
    const args = new Reader(payload);
    if (args.u16() !== 10) throw refusal(503, 'only class connection belongs on channel 0', true);
    const id = args.u16();
    if (id === 50) {
      this.send(method(0, 10, 51));
      this.#socket.end();
    } else if (id === 51) this.#socket.end();
    else if (this.#stage === 'start' && id === 11) this.#login(args);
    else if (this.#stage === 'tune' && id === 31) this.#tune(args);
    else if (this.#stage === 'open' && id === 40) this.#open(args);
    else if (this.#stage !== 'closing') throw refusal(503, `method 10.${id} does not fit here`, true);
  }

  #login(args: Reader): void {
    const name = args.table().find(({ key }) => key === 'connection_name');
    this.name = String((name && plain(name)) ?? '');
    const mechanism = args.short();
    const [, user, password] = args.long().toString().split('\0');
    const { user: known, password: right, heartbeat } = this.#settings;
    if (mechanism !== 'PLAIN' || user !== known || password !== right) {
      throw refusal(403, `Login was refused using authentication mechanism ${mechanism}.`, true);
    }
    this.#stage = 'tune';
    this.send(method(0, 10, 30, u16(MOST_CHANNELS), u32(FRAME_MAX), u16(heartbeat)));
  }

  #tune(args: Reader): void {
    args.u16();
    const wanted = args.u32();
    if (wanted !== 0 && wanted < 4096) throw refusal(501, 'the frame size is below the minimum', true);
    this.frameMax = Math.min(FRAME_MAX, wanted || FRAME_MAX);
    this.#stage = 'open';
    this.#beat(args.u16());
  }

  #open(args: Reader): void {
    const vhost = args.short();
    if (vhost !== '/') throw refusal(530, `vhost ${vhost} not found`, true);
    this.#stage = 'running';
    this.send(method(0, 10, 41, shortString('')));
  }

  /** Sends and expects signs of life; a client that is silent for two intervals is given up. */
  #beat(seconds: number): void {
    this.#timer?.cancel();
    if (seconds === 0) return;
    const beat = (): void => {
      this.#silent = this.#heard ? 0 : this.#silent + 1;
      this.#heard = false;
      if (this.#silent > 4) return void this.#socket.destroy();
      this.send(frame(FRAME_HEARTBEAT, 0, Buffer.alloc(0)));
      this.#timer = this.#settings.clock.timer(seconds * 500, beat);
    };
    this.#timer = this.#settings.clock.timer(seconds * 500, beat);
  }

  #dispatch({ type, channel: number, payload }: Frame): void {
    const channel = this.#channels.get(number);
    if (type === FRAME_METHOD) return this.#method(number, channel, new Reader(payload));
    if (this.#closing.has(number)) return;
    if (!channel) throw refusal(504, 'content on a channel that is not open', true);
    if (type === FRAME_HEADER) channel.header(payload);
    else if (type === FRAME_BODY) channel.body(payload);
    else throw refusal(501, `unknown frame type ${type}`, true);
  }

  #method(number: number, channel: ServerChannel | undefined, args: Reader): void {
    const id = args.u32();
    if (id === 20 * 65_536 + 41) return void this.#closing.delete(number);
    if (id === 20 * 65_536 + 40) return this.#closed(number);
    if (this.#closing.has(number)) return;
    if (id === 20 * 65_536 + 10) return this.#openChannel(number);
    if (!channel) throw refusal(504, `channel ${number} is not open`, true);
    if (channel.publishing) throw refusal(505, 'a method within content', true);
    handle(this, channel, id, args, () => {
      this.#tags += 1;
      return `sim-${number}-${this.#tags}`;
    });
  }

  #openChannel(number: number): void {
    if (this.#channels.has(number) || number > MOST_CHANNELS)
      throw refusal(504, 'the channel is not free', true);
    this.#channels.set(number, new ServerChannel(number, this));
    this.send(method(number, 20, 11, longString('')));
  }

  #closed(number: number): void {
    this.#channels.get(number)?.close();
    this.#channels.delete(number);
    this.#closing.delete(number);
    this.send(method(number, 20, 41));
  }

  #endChannel(number: number, { code, message }: Refusal, { type, payload }: Frame): void {
    this.#channels.get(number)?.close();
    this.#channels.delete(number);
    this.#closing.add(number);
    // Content belongs to basic.publish.
    const cause = type === FRAME_METHOD ? payload.subarray(0, 4) : Buffer.from([0, 60, 0, 40]);
    this.send(method(number, 20, 40, u16(code), shortString(message), cause));
  }

  #end({ code, message }: Refusal): void {
    if (this.#stage === 'closing') return;
    this.#stage = 'closing';
    this.send(method(0, 10, 50, u16(code), shortString(message), u16(0), u16(0)));
    this.#socket.end();
  }

  #gone(): void {
    this.#timer?.cancel();
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    this.broker.release(this.owner);
  }
}
