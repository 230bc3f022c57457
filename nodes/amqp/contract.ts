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
  without: {
    wrongTlsHost:
      'One handshake serves many calls, and calls meanwhile say that there is no connection; tls.test.ts covers it.',
  },
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
