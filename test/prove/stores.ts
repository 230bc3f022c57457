/** The store under test; loaded when it is asked for, so that an empty process stays empty. */
import { join } from 'node:path';
import { silentLog, type Clock } from '../../lib/core';
import type { QueueStore } from '../../lib/queue';

export async function openStore(folder: string, clock: Clock): Promise<QueueStore> {
  const { openFileStore } =
    require('../../lib/queue/file/store') as typeof import('../../lib/queue/file/store');
  return openFileStore({ path: join(folder, 'queues.db'), clock, log: silentLog });
}
