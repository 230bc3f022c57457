import { startNatsServer, type NatsServer } from '../../../test/helpers/nats-server';
import { settled, soak } from '../../../test/queue/soak';
import { Scope, silentLog, systemClock } from '../../core';
import { openNatsStore, type NatsStore } from './store';

const RECORDS = 5_000;

describe('two gateways at one queue on NATS', function () {
  this.timeout(120_000);
  let server: NatsServer;
  const stores: NatsStore[] = [];
  before(async () => (server = await startNatsServer()));
  after(async () => {
    for (const store of stores) await store.close();
    await server.destroy();
  });
  const gateway = async (): Promise<NatsStore> => {
    const store = await openNatsStore({
      servers: [server.address],
      clock: systemClock,
      log: silentLog,
      name: 'soak',
      lost: () => {},
      openTimeoutMs: 10_000,
      scope: new Scope(),
      replicas: 1,
    });
    stores.push(store);
    return store;
  };

  it('end every record once, whatever befalls it', async () => {
    const [one, two] = [await gateway(), await gateway()];
    await settled(one, RECORDS, await soak([one, two], RECORDS, 20_260_101));
  });
});
