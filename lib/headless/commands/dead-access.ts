/** Reaches the dead letters of a user directory: through the runtime that holds the store, else by opening it. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, isFailure, type Clock } from '../../core';
import { readRequest, type DeadAction, type DeadAnswer } from '../../queue/dead';
import type { QueueStore } from '../../queue/types';
import { askDeadLetters } from '../../red/dead-letters/ask';
import { Redactor } from '../../secrets/redact';
import { askRuntime } from './control-client';

/** A runtime that starts or ends holds the store for a moment without a channel. */
const TRIES = 20;
const PAUSE_MS = 250;

export interface DeadAccess {
  readonly userDir: string;
  readonly clock: Clock;
  /** Number of the user who runs the command; undefined where users have none (Windows). */
  readonly user: number | undefined;
  /** Opens the store of this path; only while no runtime holds it. */
  readonly openStore: (path: string) => Promise<QueueStore>;
}

/** Rejects with a Failure; BAD_MESSAGE and BAD_CONFIG mean that the command was wrong. */
export async function askUserDir(
  { userDir, clock, user, openStore }: DeadAccess,
  action: DeadAction,
  request: object,
): Promise<DeadAnswer> {
  // What cannot be understood needs no store.
  readRequest(action, request, clock.now());
  const folder = join(userDir, 'holdfast');
  const path = join(folder, 'queues.db');
  if (!existsSync(userDir)) throw noFolder(userDir);
  for (let tries = 1; ; tries += 1) {
    const answer = await askRuntime(folder, action, request, clock);
    if (answer) return answer;
    // Opening would make a store, and a mistyped folder would then look like one without dead letters.
    if (!existsSync(path)) return nothingThere(userDir, action);
    refuseForeign(folder, user);
    try {
      return await askStore(await openStore(path), action, request, clock.now());
    } catch (error) {
      if (!isFailure(error) || error.code !== 'QUEUE_LOCKED' || tries === TRIES) throw error;
      await new Promise<void>((resolve) => clock.timer(PAUSE_MS, resolve));
    }
  }
}

async function askStore(
  store: QueueStore,
  action: DeadAction,
  request: object,
  now: number,
): Promise<DeadAnswer> {
  try {
    return await askDeadLetters(store, action, request, new Redactor(), now);
  } finally {
    await store.close();
  }
}

/** Files that another user (root, with sudo) makes beside the store would lock out the Node-RED that owns it. */
function refuseForeign(folder: string, user: number | undefined): void {
  if (user === undefined || statSync(folder).uid === user) return;
  const sentence = `${folder} belongs to another user of this machine; run the command as that user (sudo -u <user>).`;
  throw new Failure('config', 'BAD_CONFIG', sentence, { reached: false });
}

function nothingThere(userDir: string, action: DeadAction): DeadAnswer {
  if (action === 'list') return { letters: [], next: null, totals: { records: 0, bytes: 0, dropped: 0 } };
  const sentence = `${userDir} holds no queues yet, so there are no dead letters. Is it the right user directory?`;
  throw new Failure('rejected', 'DEAD_LETTER_UNKNOWN', sentence, { reached: false });
}

function noFolder(userDir: string): Failure {
  const sentence = `There is no folder ${userDir}. Name the user directory of Node-RED with -u.`;
  return new Failure('config', 'BAD_CONFIG', sentence, { reached: false });
}
