import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../core';
import { VirtualClock } from '../../../test/helpers/virtual-clock';
import { queueSuite } from '../../../test/queue/suite';
import type { QueueStore } from '../types';
import { openFileStore } from './store';

queueSuite('file', async () => {
  const clock = new VirtualClock();
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-queue-'));
  let store: QueueStore | undefined;
  const open = async (): Promise<QueueStore> =>
    (store = await openFileStore({ path: join(folder, 'queues.db'), clock, log: silentLog }));
  return {
    clock,
    virtualTime: true,
    open,
    reopen: async () => {
      await store?.close();
      return open();
    },
    destroy: async () => {
      await store?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
