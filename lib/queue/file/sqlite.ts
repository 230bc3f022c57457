/** What the thread needs to know about node:sqlite: how it is opened, what its errors mean. */
import type { DatabaseSync } from 'node:sqlite';
import type { Trouble } from './protocol';

/** The file does not hold what was written to it. */
export class Damaged extends Error {
  override readonly name = 'Damaged';
}

/** SQLite's primary result codes. */
const CORRUPT = 11;
const NOT_A_DATABASE = 26;
const LOCKED = new Set([5, 6]);
const DISK = new Set([7, 8, 10, 13, 14, 15]);
const HINTS: Readonly<Record<number, string>> = {
  7: 'check the memory of the machine',
  8: 'check that the file and its folder may be written',
  13: 'free some space on the disk',
  14: 'check that the folder exists and may be written',
};

export function loadSqlite(): typeof import('node:sqlite') | undefined {
  return process.getBuiltinModule('node:sqlite');
}

/** WAL with FULL: a commit is on disk when it returns. EXCLUSIVE: one process owns the file, so no shared memory. */
export function openDatabase(path: string): DatabaseSync {
  const sqlite = loadSqlite();
  if (!sqlite) throw Object.assign(new Error('node:sqlite is missing'), { missing: true });
  const db = new sqlite.DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: false });
  try {
    db.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8388608; PRAGMA cache_size = -4000;
      PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON`);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** What an error means for the store. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof Damaged) return { kind: 'damaged', message: error.message };
  const { errcode, code, message, missing, newer } = error as {
    newer?: unknown;
    errcode?: unknown;
    code?: unknown;
    message?: unknown;
    missing?: unknown;
  };
  const text = typeof message === 'string' ? message : 'an error without a message';
  if (newer === true) return { kind: 'newer', message: text };
  if (missing === true) return { kind: 'missing', message: text };
  // node:sqlite read an integer that this store never writes.
  if (code === 'ERR_OUT_OF_RANGE') return { kind: 'damaged', message: 'a position that no record has' };
  if (typeof errcode === 'number') {
    const primary = errcode & 255;
    if (primary === CORRUPT || primary === NOT_A_DATABASE) return { kind: 'damaged', message: text };
    if (LOCKED.has(primary)) return { kind: 'locked', message: text };
    if (DISK.has(primary)) return { kind: 'disk', message: `${text}; ${HINTS[primary] ?? 'check the disk'}` };
  }
  // A failing file system call of Node, such as making the folder.
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return { kind: 'disk', message: text };
  return { kind: 'bug', message: text };
}

export function asBuffer(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) throw new Damaged('a column that holds bytes holds something else');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
