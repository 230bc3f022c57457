import { defineConnector } from '../../lib/roles';
import { classify, codes } from './classify';
import { fields } from './connection-fields';
import type { Session } from './session';

export const connector = defineConnector({
  type: 'holdfast-amqp-connection',
  version: 1,
  label: 'amqp connection',
  summary:
    'A RabbitMQ broker, or another that speaks AMQP 0-9-1, with the exchanges and queues that must exist.',
  details:
    'Whenever the connection opens, the tables of exchanges, queues and bindings are compared with what the broker ' +
    'has. What is missing is declared, or named in the error where *Only check* is chosen. What exists in another form ' +
    'is never changed: the connection then fails and repeats the reason of the broker. The protocol cannot ask for a ' +
    'binding, so *Only check* leaves bindings alone.',
  auth: ['basic', 'certificate'],
  tls: true,
  fields,
  codes,
  defaults: { concurrency: 256, queue: 10_000, pingEvery: '30s' },

  async open(ctx): Promise<Session> {
    const { openSession } = require('./open') as typeof import('./open');
    return openSession(ctx);
  },
  close: (session) => session.close(),
  ping: (session, { scope }) => session.ping(scope),
  classify,
  simulator: {
    load: () => Promise.resolve(require('./simulator') as typeof import('./simulator')),
    apply: (config, { host, port }) => ({ ...config, host, port, encrypt: false, vhost: '/' }),
  },
});
