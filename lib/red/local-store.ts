/** The local store of a runtime: the file below the user directory, and the channel for the command. */
import { join } from 'node:path';
import { isFailure, type Clock, type Log } from '../core';
import type { QueueStore } from '../queue/types';
import type { Redactor } from '../secrets/redact';

export interface LocalStoreOptions {
  /** The user directory, absolute. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
}

/** The command holds the store for a moment while no runtime does. */
const TRIES = 6;
const PAUSE_MS = 500;

/** Opens `holdfast/queues.db`. Its code loads with the first use. */
export async function openLocalStore(options: LocalStoreOptions): Promise<QueueStore> {
  const { directory, clock, log, redactor } = options;
  const folder = join(directory, 'holdfast');
  const store = await openPatiently(join(folder, 'queues.db'), clock, log);
  const { controlled } = require('./dead-letters/controlled') as typeof import('./dead-letters/controlled');
  return controlled(store, { folder, redactor, clock, log });
}

async function openPatiently(path: string, clock: Clock, log: Log): Promise<QueueStore> {
  const file = require('../queue/file/store') as typeof import('../queue/file/store');
  for (let tries = 1; ; tries += 1) {
    try {
      return await file.openFileStore({ path, clock, log });
    } catch (error) {
      if (!isFailure(error) || error.code !== 'QUEUE_LOCKED' || tries === TRIES) throw error;
      await new Promise<void>((resolve) => clock.timer(PAUSE_MS, resolve));
    }
  }
}
