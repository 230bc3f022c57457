import { RabbitBed } from '../../../test/helpers/rabbit-bed';
import { Outside } from '../../../test/helpers/rabbit-outside';
import { queueSuite } from '../../../test/queue/suite';
import { systemClock } from '../../core';
import type { RabbitStore } from './store';

queueSuite('RabbitMQ', async () => {
  const bed = new RabbitBed();
  const outside = new Outside();
  let store: RabbitStore | undefined;
  const open = async (): Promise<RabbitStore> => {
    await store?.close();
    store = await bed.store();
    outside.watch(store);
    return store;
  };
  return {
    clock: systemClock,
    virtualTime: false,
    open,
    reopen: open,
    destroy: () => bed.dispose(),
    conserved: async () => {
      if (store) await outside.conserved(store);
    },
    totalsOfHandle: true,
    bytes: 'held',
    limitsOfBroker: true,
    refuses: new Set(['dropOld'] as const),
  };
});
