/** A store with its control channel: both end together. */
import { toFailure } from '../../core';
import type { QueueStore } from '../../queue/types';
import { startControl, type Control, type ControlOptions } from './control-server';

/** Without a channel (a file system without sockets, for example) the store works, and only the command does not. */
export async function controlled(
  store: QueueStore,
  options: Omit<ControlOptions, 'store'>,
): Promise<QueueStore> {
  const control = await startControl({ ...options, store }).catch((error: unknown): Control => {
    const why = toFailure(error).message;
    options.log.warn(`The command "holdfast dead-letters" cannot reach this runtime: ${why}`);
    return { close: () => Promise.resolve() };
  });
  const { capabilities, dead } = store;
  return {
    capabilities,
    dead,
    open: (name, queue) => store.open(name, queue),
    ...(store.keys ? { keys: store.keys.bind(store) } : {}),
    names: () => store.names(),
    close: async () => {
      await control.close().catch(() => {});
      await store.close();
    },
  };
}
