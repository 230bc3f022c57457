/**
 * Where the control channel of a running store is: a Unix socket that only this user can reach, or a named pipe. A
 * small file beside the store names it, because neither has a fixed place on every system.
 */
import { randomBytes } from 'node:crypto';
import { lstat, mkdtemp, readFile, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const POINTER = 'control.json';
const SOCKET = 'control.sock';
/** The shortest limit of any system is macOS's: 104 bytes with the closing zero. */
const LONGEST_PATH = 100;
const LONGEST_POINTER = 4096;

/** A place for a fresh channel, after removing what a killed process left. `folder` holds the store. */
export async function makeAddress(folder: string): Promise<string> {
  await removeAddress(folder);
  if (process.platform === 'win32') return `\\\\.\\pipe\\holdfast-${randomBytes(16).toString('hex')}`;
  const near = join(folder, SOCKET);
  if (fits(near) && (await isPrivate(folder)) && !(await exists(near))) return near;
  const far = join(await mkdtemp(join(tmpdir(), 'holdfast-')), SOCKET);
  if (fits(far)) return far;
  await rmdir(dirname(far));
  throw new Error(`the path ${far} is longer than a socket's may be`);
}

/** Makes the channel known to commands. */
export async function writeAddress(folder: string, address: string): Promise<void> {
  const aside = join(folder, `${POINTER}.new`);
  await rm(aside, { force: true });
  await writeFile(aside, JSON.stringify({ version: 1, address }), { mode: 0o600, flag: 'wx' });
  await rename(aside, join(folder, POINTER));
}

/** The address of the channel; undefined when none is known. It may be stale. */
export async function readAddress(folder: string): Promise<string | undefined> {
  const path = join(folder, POINTER);
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isFile() || found.size > LONGEST_POINTER) return undefined;
  try {
    const told = JSON.parse(await readFile(path, 'utf8')) as { version?: unknown; address?: unknown } | null;
    return told?.version === 1 && typeof told.address === 'string' ? told.address : undefined;
  } catch {
    return undefined;
  }
}

/** Only the holder of the store's lock may call this: whatever channel is known then is its own, or dead. */
export async function removeAddress(folder: string, own?: string): Promise<void> {
  const known = own ?? (await readAddress(folder));
  await rm(join(folder, POINTER), { force: true });
  await removeSocket(join(folder, SOCKET));
  if (known === undefined || process.platform === 'win32') return;
  // The file may have been tampered with: nothing but a socket in a folder such as makeAddress makes is removed.
  const home = dirname(known);
  if (basename(known) !== SOCKET || !/^holdfast-\w{6}$/.test(basename(home)) || !(await isPrivate(home)))
    return;
  await removeSocket(known);
  await rmdir(home).catch(() => {});
}

async function removeSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket()) await unlink(path).catch(() => {});
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST_PATH;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** A folder, no link, of this user, that no other user can enter. */
async function isPrivate(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (!found?.isDirectory()) return false;
  return found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
}
