/** Small durable documents of nodes, as files below the user directory. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StateStore } from '../core';
import { deriveKey, encryptedStore } from '../secrets/vault';

export interface StateStores {
  readonly store: (id: string, secret: boolean) => StateStore;
  /** Removes the documents of a deleted node. */
  readonly forget: (id: string) => Promise<void>;
}

/**
 * `secret` documents are encrypted with a key derived from Node-RED's `credentialSecret`; without one, with a
 * key file that only this user can read.
 */
export function stateStores(folder: string, credentialSecret: string | undefined): StateStores {
  let key: Promise<Buffer> | undefined;
  const makeKey = (): Promise<Buffer> =>
    credentialSecret ? deriveKey(credentialSecret, 'holdfast state') : keyFile(join(folder, 'state.key'));
  const secretKey = (): Promise<Buffer> => {
    // A disk that failed once is asked again.
    key ??= makeKey().catch((error: unknown) => {
      key = undefined;
      throw error;
    });
    return key;
  };
  const path = (id: string, secret: boolean): string =>
    join(folder, 'state', `${fileName(id)}${secret ? '.secret' : ''}.json`);
  return {
    store: (id, secret) => {
      const plain = fileStore(path(id, secret));
      return secret ? later(async () => encryptedStore(plain, await secretKey())) : plain;
    },
    forget: async (id) => {
      await rm(path(id, false), { force: true });
      await rm(path(id, true), { force: true });
    },
  };
}

/** Node ids come from flow files: only harmless ones become file names as they are. */
function fileName(id: string): string {
  return /^[\w-]{1,64}$/.test(id) ? id : createHash('sha256').update(id).digest('hex');
}

function later(make: () => Promise<StateStore>): StateStore {
  return {
    load: async () => (await make()).load(),
    save: async (value) => (await make()).save(value),
  };
}

/** Saves are atomic and durable: written aside, synced, renamed, folder synced; one at a time, in order. */
export function fileStore(path: string): StateStore {
  let last: Promise<void> = Promise.resolve();
  return {
    load: async () => {
      await last;
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text) as unknown;
      } catch {
        // A damaged document is set aside, not lost, and the node starts without it.
        await rename(path, `${path}.damaged`);
        return undefined;
      }
    },
    save: (value) => {
      const text = JSON.stringify(value);
      const next = last.then(() => replaceFile(path, text));
      last = next.catch(() => {});
      return next;
    },
  };
}

async function replaceFile(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const aside = `${path}.new`;
  await writeSynced(aside, text);
  await rename(aside, path);
  // Windows cannot sync a folder, and keeps the order of a rename without it.
  if (process.platform !== 'win32') await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeSynced(path: string, text: string | Buffer): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function keyFile(path: string): Promise<Buffer> {
  // Only a key that is not there may be made: a new one would make every stored secret unreadable.
  const known = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (known?.length === 32) return known;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = randomBytes(32);
  await writeSynced(path, fresh);
  return fresh;
}
