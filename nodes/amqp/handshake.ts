/** From an open socket to an open AMQP connection. */
import type { Socket } from 'node:net';
import type { ChannelModel } from 'amqplib';
import { type Failure, isFailure, type Scope } from '../../lib/core';
import { closedBy, protocolFailure, refusal, textOfClose, type Close } from './classify';
import { CONNECTION_CLOSE, type Library, type OpenFields, type RawConnection } from './library';

export interface Login {
  readonly vhost: string;
  readonly clientName: string;
  readonly frameMax: number;
  readonly heartbeatMs: number;
  /** Undefined: the client certificate says who we are. */
  readonly user: { readonly name: string; readonly password: string } | undefined;
}
export interface Opened {
  readonly connection: RawConnection;
  readonly model: ChannelModel;
}

const CAPABILITIES = {
  publisher_confirms: true,
  exchange_exchange_bindings: true,
  'basic.nack': true,
  consumer_cancel_notify: true,
  'connection.blocked': true,
  authentication_failure_close: true,
};
const CHANNELS = 2047;

/** `onError` hears what ends the connection, from its first byte on. */
export async function shakeHands(
  library: Library,
  socket: Socket,
  login: Login,
  scope: Scope,
  onError: (error: unknown) => void,
): Promise<Opened> {
  const connection = new library.Connection(socket);
  connection.on('error', onError);
  const model = new library.ChannelModel(connection);
  model.on('error', () => {});
  const seen: { close?: Close } = {};
  const step = connection.step.bind(connection);
  // The library forgets why the broker refused to open the virtual host.
  connection.step = (next) =>
    step((error, frame) => {
      if (frame?.id === CONNECTION_CLOSE) seen.close = textOfClose(frame.fields);
      next(error, frame);
    });
  try {
    await new Promise<void>((resolve, reject) => {
      const off = scope.onAbort((reason) => reject(reason));
      connection.open(fieldsOf(login), (error) => {
        off();
        if (error) reject(error);
        else resolve();
      });
    });
    return { connection, model };
  } catch (error) {
    socket.destroy();
    throw isFailure(error) ? error : explain(error, seen.close);
  }
}

function explain(error: unknown, close: Close | undefined): Failure {
  if (close) return refusal(close);
  return closedBy(error) ?? protocolFailure(error);
}

function fieldsOf({ vhost, clientName, frameMax, heartbeatMs, user }: Login): OpenFields {
  return {
    clientProperties: {
      product: 'Holdfast',
      platform: 'Node.js',
      connection_name: clientName,
      capabilities: CAPABILITIES,
    },
    mechanism: user ? 'PLAIN' : 'EXTERNAL',
    response: Buffer.from(user ? `\0${user.name}\0${user.password}` : ''),
    locale: 'en_US',
    channelMax: CHANNELS,
    frameMax,
    maxFrameSize: frameMax,
    heartbeat: Math.ceil(heartbeatMs / 1000),
    virtualHost: vhost,
    capabilities: '',
    insist: 0,
  };
}
