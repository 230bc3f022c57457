/**
 * amqplib, from its inner parts. Its `connect` makes the socket itself and hands the connection out after frames may
 * have been read: a peer that breaks the protocol right behind its greeting then raises an error that nobody can catch.
 * Here the socket is ours, and every listener stands before the first byte.
 */
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { ChannelModel } from 'amqplib';
import { Failure } from '../../lib/core';

export interface Frame {
  readonly id?: number;
  readonly channel: number;
  /** Of a header frame: bytes of the body that follows. */
  readonly size?: number;
  readonly content?: Buffer;
  readonly fields?: Readonly<Record<string, unknown>>;
}
export interface RawConnection extends EventEmitter {
  /** True while the broker takes no messages. */
  readonly blocked: boolean;
  /** As negotiated. */
  readonly frameMax: number;
  accept(frame: Frame): void;
  step(next: (error: Error | null, frame: Frame | null) => void): void;
  open(fields: OpenFields, done: (error: Error | null) => void): void;
}
/** What the methods start-ok, tune-ok and open carry. */
export interface OpenFields {
  readonly clientProperties: Readonly<Record<string, unknown>>;
  readonly mechanism: string;
  readonly response: Buffer;
  readonly locale: string;
  readonly channelMax: number;
  readonly frameMax: number;
  readonly maxFrameSize: number;
  /** Seconds. */
  readonly heartbeat: number;
  readonly virtualHost: string;
  readonly capabilities: string;
  readonly insist: number;
}
export interface Library {
  readonly Connection: new (socket: Duplex) => RawConnection;
  readonly ChannelModel: new (connection: RawConnection) => ChannelModel;
}

/** Ids of methods, as class × 65536 + method; a header frame carries only its class. */
export const BASIC_HEADER = 60;
export const CONNECTION_CLOSE = 655_410;

export function loadLibrary(): Library {
  const inner = createRequire(require.resolve('amqplib'));
  try {
    const { Connection } = inner('./lib/connection.js') as Library;
    const { ChannelModel: Model } = inner('./lib/channel_model.js') as Library;
    const { open, step } = Connection.prototype as Partial<RawConnection>;
    if (typeof open === 'function' && typeof step === 'function' && typeof Model === 'function') {
      return { Connection, ChannelModel: Model };
    }
  } catch {
    // Another version with other parts: said below.
  }
  throw new Failure(
    'config',
    'MISSING_LIBRARY',
    'The installed version of the library "amqplib" does not fit. Run "npm install amqplib@2.3.1" in Node-RED\'s user directory and restart Node-RED.',
    { reached: false, details: { library: 'amqplib' } },
  );
}
