import { randomBytes } from 'node:crypto';
import { startNatsServer, type NatsServer } from '../../../test/helpers/nats-server';
import { queueSuite } from '../../../test/queue/suite';
import { Scope, silentLog, systemClock } from '../../core';
import { openNatsStore, type NatsStore } from './store';

describe('NATS', () => {
  let server: NatsServer;
  before(async () => (server = await startNatsServer()));
  after(() => server.destroy());

  queueSuite('NATS JetStream', async () => {
    const prefix = `t${randomBytes(6).toString('hex')}`;
    let store: NatsStore | undefined;
    const open = async (): Promise<NatsStore> => {
      await store?.close();
      return (store = await openNatsStore({
        servers: [server.address],
        clock: systemClock,
        log: silentLog,
        name: 'suite',
        lost: () => {},
        openTimeoutMs: 10_000,
        scope: new Scope(),
        replicas: 1,
        prefix,
      }));
    };
    // Each prefix reserves room on the server for its dead letters.
    const destroy = async (): Promise<void> => {
      const { session } = store?.session.over.aborted === false ? store : await open();
      for await (const name of session.jsm.streams.names())
        if (name.includes(prefix)) await session.jsm.streams.delete(name);
      await store?.close();
    };
    return { clock: systemClock, virtualTime: false, open, reopen: open, destroy, bytes: 'stored' };
  });
});
