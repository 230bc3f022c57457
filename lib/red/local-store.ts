/** The local store of a runtime: the file below the user directory, and the channel for the command. */
import { join } from 'node:path';
import type { Clock, Log } from '../core';
import type { QueueStore } from '../queue/types';
import type { Redactor } from '../secrets/redact';

export interface LocalStoreOptions {
  /** The user directory, absolute. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
}

/** Opens `holdfast/queues.db`. Its code loads with the first use. */
export async function openLocalStore(options: LocalStoreOptions): Promise<QueueStore> {
  const { directory, clock, log, redactor } = options;
  const folder = join(directory, 'holdfast');
  const file = require('../queue/file/store') as typeof import('../queue/file/store');
  const store = await file.openFileStore({ path: join(folder, 'queues.db'), clock, log });
  const { controlled } = require('./dead-letters/controlled') as typeof import('./dead-letters/controlled');
  return controlled(store, { folder, redactor, clock, log });
}
