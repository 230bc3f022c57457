import { systemClock } from '../../lib/core';
import type { Contract } from '../../test/contract/types';
import { start } from './simulator';

const command = { exchange: 'plant', routingKey: 'command.boiler' };

export const contract: Contract = {
  connection: ({ host, port }) => ({
    host,
    port,
    authKind: 'basic',
    username: 'guest',
    heartbeat: '1s',
    exchanges: [],
    queues: [],
    bindings: [],
  }),
  credentials: { password: 'guest' },
  tlsConnection: ({ host, port }, ca) => ({ host, port, encrypt: true, tlsCa: ca }),
  samples: {
    'holdfast-amqp': [
      { name: 'publish', config: command, msg: { payload: { setPoint: 75 } } },
      { name: 'publish once', config: { ...command, repeat: 'once' }, msg: { payload: 'start' } },
    ],
    'holdfast-amqp-trigger': [
      { name: 'consume', config: { queue: 'plant.readings', acknowledge: 'auto', prefetch: 20 } },
    ],
  },
  authRefused: () => start({ port: 0, seed: 1, clock: systemClock, password: 'another', still: true }),
};
