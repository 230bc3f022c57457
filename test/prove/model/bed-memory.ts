import { openMemoryStore } from '../../../lib/queue/memory/store';
import type { QueueStore } from '../../../lib/queue';
import { VirtualClock } from '../../helpers/virtual-clock';
import type { Bed } from './bed';
import type { Abilities } from './generate';

export const MEMORY: Abilities = {
  keys: true,
  duplicates: true,
  crashes: [],
  killEvery: 0,
  crashRate: 0.06,
  delays: [0, 0, 10, 100, 1000],
  restart: false,
  whenFull: ['reject', 'dropOldest', 'dropNewest'],
  maxBytes: true,
  age: true,
  numbers: true,
};

/** `wrap` puts something between the sequences and the store, such as a fault. */
export async function memoryBed(wrap: (store: QueueStore) => QueueStore = (store) => store): Promise<Bed> {
  const clock = new VirtualClock();
  const store = wrap(openMemoryStore({ clock }));
  const never = async (): Promise<never> => {
    throw new Error('Nothing of the memory store survives its end.');
  };
  return {
    able: MEMORY,
    store,
    crashes: 0,
    advance: (ms) => clock.advance(ms),
    running: async () => clock.mono(),
    restart: never,
    crash: never,
    close: () => store.close(),
  };
}
