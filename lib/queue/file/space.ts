/** Gives space back to the disk, step by step, when there is nothing else to do. */
import type { DatabaseSync } from 'node:sqlite';

/** Free pages that are kept for the next records. */
const SPARE = 256;
/** Pages of one step: what is asked meanwhile waits for no more than that. */
const STEP = 200;

/** Shortens the file by one step. Returns whether there is more. */
export function giveBack(db: DatabaseSync): boolean {
  const free = pragma(db, 'freelist_count');
  if (free <= SPARE) return false;
  db.exec(`PRAGMA incremental_vacuum(${Math.min(STEP, free - SPARE)}); PRAGMA wal_checkpoint(PASSIVE)`);
  return pragma(db, 'freelist_count') > SPARE;
}

function pragma(db: DatabaseSync, name: 'freelist_count'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
