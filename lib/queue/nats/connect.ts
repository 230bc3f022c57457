/** Opens a session: loads the libraries, connects, logs in and asks whether JetStream is there. */
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { cancelled, Failure } from '../../core';
import { classifyNats } from './classify';
import { checkPrefix } from './names';
import { DEFAULTS, type NatsAuth, type NatsOptions } from './options';
import { guardReader } from './reader';
import { Session, type Libraries } from './session';

/** Signs of life every five seconds; after two without an answer the connection counts as ended. */
const PING = { pingInterval: 5_000, maxPingOut: 2 } as const;

/** Rejects with a Failure, and leaves nothing open, when it cannot or when the scope ends. */
export async function connectNats(options: NatsOptions): Promise<Session> {
  const prefix = checkPrefix(options.prefix ?? DEFAULTS.prefix);
  options.scope.throwIfAborted();
  try {
    const lib = await load();
    const nc = await dial(lib, options);
    return await greet(nc, lib, options, prefix);
  } catch (error) {
    throw whileOpening(classifyNats(error));
  }
}

async function load(): Promise<Libraries> {
  const [transport, jetstream, kv] = await Promise.all([
    import('@nats-io/transport-node'),
    import('@nats-io/jetstream'),
    import('@nats-io/kv'),
  ]);
  return { transport, jetstream, kv };
}

/** The client cannot be told to stop connecting; a connection that comes too late is closed. */
function dial(lib: Libraries, options: NatsOptions): Promise<NatsConnection> {
  const attempt = lib.transport.connect(clientOptions(lib, options));
  return new Promise((resolve, reject) => {
    const forget = options.scope.onAbort((reason) => {
      reject(reason);
      void attempt.then((nc) => nc.close()).catch(() => {});
    });
    attempt.then(resolve, reject).finally(forget);
  });
}

async function greet(
  nc: NatsConnection,
  lib: Libraries,
  options: NatsOptions,
  prefix: string,
): Promise<Session> {
  const reader = guardReader(nc);
  try {
    const timeout = options.requestTimeoutMs ?? DEFAULTS.requestTimeoutMs;
    const jsm = await lib.jetstream.jetstreamManager(nc, { timeout, checkAPI: true });
    if (options.scope.aborted) throw options.scope.reason ?? cancelled();
    const holdMs = options.holdMs ?? DEFAULTS.holdMs;
    const places = { prefix, replicas: options.replicas, holdMs, timeoutMs: timeout };
    return new Session(nc, reader, jsm, lib, options.clock, options.log, places, options.lost);
  } catch (error) {
    await nc.close().catch(() => {});
    throw reader.failure ?? withoutJetStream(error);
  }
}

function clientOptions(lib: Libraries, options: NatsOptions): NodeConnectionOptions {
  return {
    servers: [...options.servers],
    name: options.name,
    timeout: options.openTimeoutMs,
    reconnect: false,
    noAsyncTraces: true,
    ...PING,
    ...login(lib, options.auth ?? {}),
    // null, not undefined: a server that merely offers TLS must not switch it on behind the user's back.
    tls: options.tls ? (options.tls as NonNullable<NodeConnectionOptions['tls']>) : null,
  };
}

function login(lib: Libraries, auth: NatsAuth): NodeConnectionOptions {
  const text = new TextEncoder();
  if (auth.creds) return { authenticator: lib.transport.credsAuthenticator(text.encode(auth.creds)) };
  if (auth.nkey) return { authenticator: lib.transport.nkeyAuthenticator(text.encode(auth.nkey)) };
  if (auth.token) return { token: auth.token };
  if (auth.user) return { user: auth.user, pass: auth.password ?? '' };
  return {};
}

function withoutJetStream(error: unknown): unknown {
  const name = error instanceof Error ? error.name : '';
  if (
    name !== 'JetStreamNotEnabled' &&
    !(name === 'JetStreamApiError' && /not enabled/.test(String(error)))
  ) {
    return error;
  }
  return new Failure(
    'config',
    'BAD_CONFIG',
    'The NATS server answers, but JetStream is off for this account. Switch it on (a "jetstream" block in the server\'s configuration).',
    { reached: false, cause: error },
  );
}

/** While opening, silence means that nobody answers there, and nothing was done yet. */
function whileOpening(failure: Failure): Failure {
  const { kind, code, message, details, reached } = failure;
  if (code === 'QUEUE_UNAVAILABLE') {
    return new Failure(
      'disconnected',
      'CONNECTION_TIMEOUT',
      'The NATS server did not answer in time while connecting. Check host, port, firewall, and that JetStream has a leader.',
      { reached: false, cause: failure },
    );
  }
  return reached ? new Failure(kind, code, message, { details, reached: false, cause: failure }) : failure;
}
