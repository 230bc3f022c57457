/** From settings to a session. */
import type { Channel } from 'amqplib';
import { Failure, isFailure } from '../../lib/core';
import type { OpenContext } from '../../lib/roles';
import { closedBy, protocolFailure } from './classify';
import type { fields } from './connection-fields';
import { dial } from './dial';
import { during } from './during';
import { guardBodies } from './guard';
import { shakeHands, type Login, type Opened } from './handshake';
import { loadLibrary } from './library';
import { Session } from './session';
import { checkTopology } from './topology';

type Context = OpenContext<typeof fields>;

export async function openSession(ctx: Context): Promise<Session> {
  const { config, tls, scope, lost } = ctx;
  const login = loginOf(ctx);
  const library = loadLibrary();
  const secured = config.encrypt ? tls : undefined;
  if (config.encrypt && !tls) throw badConfig('"Encrypt the connection" needs TLS settings.');
  const socket = await dial(config, secured, scope);
  const seen: { error?: unknown } = {};
  const opened = await shakeHands(library, socket, login, scope, (error) => (seen.error ??= error));
  const maxBody = config.maxMessage * 1024;
  guardBodies(opened.connection, maxBody);
  try {
    const control = await during(scope, prepare(opened, ctx));
    const single = new Set(config.queues.filter((row) => row.single).map((row) => row.name));
    const { connection, model } = opened;
    return new Session({ connection, model, socket, control, maxBody, clock: ctx.clock, single, lost });
  } catch (error) {
    socket.destroy(new Error('Unexpected close'));
    const first = closedBy(seen.error);
    throw first ?? (isFailure(error) ? error : (closedBy(error) ?? protocolFailure(error)));
  }
}

async function prepare({ model }: Opened, { config, log }: Context): Promise<Channel> {
  await checkTopology(model, config, log);
  const control = await model.createChannel();
  control.on('error', () => {});
  return control;
}

function loginOf({ config, auth, simulated, name, id }: Context): Login {
  const { vhost, frameMax, heartbeat } = config;
  const external = auth.kind === 'certificate';
  if (external && !config.encrypt && !simulated) {
    throw badConfig('A client certificate needs "Encrypt the connection".');
  }
  return {
    vhost,
    frameMax,
    heartbeatMs: heartbeat,
    clientName: config.clientName || `Holdfast: ${name || id}`,
    user: external
      ? undefined
      : simulated
        ? { name: 'guest', password: 'guest' }
        : { name: auth.username, password: auth.password },
  };
}

function badConfig(text: string): Failure {
  return new Failure('config', 'BAD_CONFIG', text, { reached: false });
}
