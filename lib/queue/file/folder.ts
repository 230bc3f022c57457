/** The file's surroundings: its folder, its lock, and where damaged files go. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { basename, dirname, join } from 'node:path';
import { loadSqlite } from './sqlite';

/** Damaged files that are kept for inspection; older ones make room. */
const KEPT = 3;
/** What SQLite writes beside a file, and the file itself. */
export const PARTS = ['', '-wal', '-shm', '-journal'];
const NOT_A_DATABASE = 26;

/** Makes the folder, and the file with rights for its owner only. */
export function prepareFile(path: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (existsSync(path)) return;
  closeSync(openSync(path, 'a', 0o600));
  syncFolder(folder);
}

/** A new name in a folder survives a power cut only when the folder is synced. Windows does that by itself. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Holds the store for this process, until it closes or dies. Throws SQLite's BUSY when another one has it. */
export function takeLock(path: string): DatabaseSync {
  const file = lockName(path);
  closeSync(openSync(file, 'a', 0o600));
  try {
    return lock(file);
  } catch (error) {
    // A foreign or damaged lock file: nobody holds it, or this would have been BUSY.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== NOT_A_DATABASE) throw error;
    truncateSync(file, 0);
    return lock(file);
  }
}

export function lockName(path: string): string {
  return `${path.replace(/\.db$/, '')}.lock`;
}

function lock(file: string): DatabaseSync {
  const sqlite = loadSqlite();
  if (!sqlite) throw Object.assign(new Error('node:sqlite is missing'), { missing: true });
  const db = new sqlite.DatabaseSync(file, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** Renames a damaged file and its companions; returns its new name. Keeps the newest few. */
export function setAside(path: string): string {
  const kept = damagedNumbers(path);
  for (const number of kept.slice(0, Math.max(0, kept.length - KEPT + 1))) {
    for (const part of PARTS) rmSync(`${path}.damaged-${number}${part}`, { force: true });
  }
  const aside = `${path}.damaged-${(kept.at(-1) ?? 0) + 1}`;
  for (const part of PARTS) {
    if (existsSync(path + part)) renameSync(path + part, aside + part);
  }
  if (existsSync(aside)) chmodSync(aside, 0o600);
  syncFolder(dirname(path));
  return aside;
}

/** Numbers of the damaged files that are kept, rising. */
export function damagedNumbers(path: string): number[] {
  const prefix = `${basename(path)}.damaged-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d{1,9}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

export function damagedName(path: string, number: number): string {
  return join(dirname(path), `${basename(path)}.damaged-${number}`);
}
