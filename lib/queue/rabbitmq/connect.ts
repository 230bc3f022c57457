/** Opens the connection, within a time, as long as the scope lasts. */
import type { Options } from 'amqplib';
import { Failure } from '../../core';
import { classifyRabbit } from './errors';
import { DEFAULT_REQUEST_MS, type RabbitOptions } from './options';
import { Session } from './session';

/** Longest frame that is accepted; RabbitMQ's are 128 KiB. */
const MAX_FRAME_BYTES = 1_048_576;

/** Connects and logs in. Rejects with a Failure and leaves nothing open when it cannot. */
export async function connectRabbit(options: RabbitOptions): Promise<Session> {
  options.scope.throwIfAborted();
  const { connect } = await import('amqplib');
  const socket = new AbortController();
  let why: Failure | undefined;
  const stop = (failure: Failure): void => {
    why ??= failure;
    socket.abort();
  };
  const timer = options.clock.timer(options.openTimeoutMs, () => stop(tooSlow(options)));
  const forget = options.scope.onAbort(stop);
  try {
    const model = await connect(address(options), {
      ...options.tls,
      // Read by node:net and node:tls: the one way to end a socket that the library still holds in its handshake.
      ...{ signal: socket.signal },
      noDelay: true,
      keepAlive: true,
      clientProperties: { connection_name: options.name.slice(0, 200) },
    });
    return new Session({
      model,
      clock: options.clock,
      requestMs: options.requestTimeoutMs ?? DEFAULT_REQUEST_MS,
      lost: options.lost,
      cut: () => socket.abort(),
    });
  } catch (error) {
    socket.abort();
    throw why ?? classifyRabbit(error);
  } finally {
    timer.cancel();
    forget();
  }
}

function address(options: RabbitOptions): Options.Connect {
  return {
    protocol: options.tls ? 'amqps' : 'amqp',
    hostname: options.host,
    port: options.port,
    username: options.user,
    password: options.password,
    // The library decodes it as a part of an address.
    vhost: encodeURIComponent(options.virtualHost),
    heartbeat: options.heartbeatSeconds,
    maxFrameSize: MAX_FRAME_BYTES,
  };
}

function tooSlow({ host, port, openTimeoutMs }: RabbitOptions): Failure {
  const sentence = `RabbitMQ at ${host}:${port} did not let us in within ${openTimeoutMs / 1000} s. Check host, port and its load.`;
  return new Failure('disconnected', 'CONNECTION_TIMEOUT', sentence, { reached: false });
}
