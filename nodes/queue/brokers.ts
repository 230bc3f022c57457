/** Opens the stores on brokers. Their client libraries load there, not before. */
import { Failure, type Scope } from '../../lib/core';
import type { NatsAuth, NatsStore } from '../../lib/queue/nats';
import type { QueueStore } from '../../lib/queue';
import type { Context } from './stores';

/** The framework's own timeout ends `scope`; this one is only for what does not listen to it. */
const OPEN_TIMEOUT_MS = 60_000;

export async function openNats(ctx: Context): Promise<NatsStore> {
  const { openNatsStore } = require('../../lib/queue/nats') as typeof import('../../lib/queue/nats');
  const { config, auth, tls, scope, clock, log, name, lost } = ctx;
  return openNatsStore({
    servers: config.servers,
    auth: await natsAuth(auth, scope),
    ...(config.encrypt && tls ? { tls } : {}),
    clock,
    log,
    name,
    lost,
    openTimeoutMs: OPEN_TIMEOUT_MS,
    scope,
    replicas: config.replicas,
  });
}

export async function openRabbit(ctx: Context): Promise<QueueStore> {
  const { openRabbitStore } =
    require('../../lib/queue/rabbitmq/store') as typeof import('../../lib/queue/rabbitmq');
  const { config, auth, tls, scope, clock, log, name, lost } = ctx;
  if (auth.kind !== 'basic' && auth.kind !== 'none') {
    throw new Failure(
      'config',
      'BAD_CONFIG',
      'RabbitMQ knows a user name and a password only. Choose "User name and password" under Authentication.',
      { reached: false },
    );
  }
  return openRabbitStore({
    host: config.host,
    port: config.port ?? (config.encrypt ? 5671 : 5672),
    virtualHost: config.virtualHost,
    // What RabbitMQ itself accepts from the same machine.
    user: auth.kind === 'basic' ? auth.username : 'guest',
    password: auth.kind === 'basic' ? auth.password : 'guest',
    ...(config.encrypt && tls ? { tls } : {}),
    heartbeatSeconds: Math.ceil(config.heartbeat / 1000),
    clock,
    log,
    name,
    scope,
    openTimeoutMs: OPEN_TIMEOUT_MS,
    lost,
  });
}

async function natsAuth(auth: Context['auth'], scope: Scope): Promise<NatsAuth> {
  if (auth.kind === 'basic') return { user: auth.username, password: auth.password };
  if (auth.kind !== 'bearer') return {};
  const { headers } = await auth.parts(scope);
  return { token: (headers['authorization'] ?? '').replace(/^Bearer /, '') };
}
