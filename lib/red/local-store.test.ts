import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock, type Clock } from '../core';
import { openFileStore } from '../queue/file/store';
import type { QueueStore } from '../queue/types';
import { Redactor } from '../secrets/redact';
import { failureOf } from '../../test/helpers/failure-of';
import { openLocalStore } from './local-store';

describe('the local store', () => {
  let directory: string;
  let holder: QueueStore;
  let pauses: number;
  let onPause: () => Promise<void>;

  /** Its pauses take no time. */
  const timer: Clock['timer'] = (ms, fn) => {
    if (ms !== 500) return systemClock.timer(ms, fn);
    pauses += 1;
    void onPause().then(fn);
    return { cancel() {} };
  };
  const open = (): Promise<QueueStore> =>
    openLocalStore({ directory, clock: { ...systemClock, timer }, log: silentLog, redactor: new Redactor() });

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-local-'));
    const path = join(directory, 'holdfast', 'queues.db');
    holder = await openFileStore({ path, clock: systemClock, log: silentLog });
    pauses = 0;
    onPause = () => Promise.resolve();
  });
  afterEach(async () => {
    await holder.close();
    rmSync(directory, { recursive: true });
  });

  it('waits while the command has it, and then serves the command', async () => {
    onPause = () => holder.close();
    const store = await open();
    assert.equal(pauses, 1);
    const pointer = join(directory, 'holdfast', 'control.json');
    assert.ok(existsSync(pointer));
    await store.close();
    assert.ok(!existsSync(pointer));
  });

  it('does not wait for ever', async () => {
    assert.equal((await failureOf(open())).code, 'QUEUE_LOCKED');
    assert.equal(pauses, 5);
  });
});
