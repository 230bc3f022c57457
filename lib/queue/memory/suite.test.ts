import { VirtualClock } from '../../../test/helpers/virtual-clock';
import { queueSuite } from '../../../test/queue/suite';
import type { QueueStore } from '../types';
import { openMemoryStore } from './store';

queueSuite('memory', async () => {
  const clock = new VirtualClock();
  let store: QueueStore | undefined;
  return {
    clock,
    virtualTime: true,
    open: async () => (store = openMemoryStore({ clock })),
    destroy: async () => store?.close(),
  };
});
