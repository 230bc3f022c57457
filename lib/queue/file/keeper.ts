/**
 * Owns the file for the life of the thread: opens it, carries batches to the engine, and deals with what goes
 * wrong, so that one bad batch, a full disk or a damaged page ends neither the thread nor a promise made before.
 */
import type { DatabaseSync } from 'node:sqlite';
import { Engine } from './engine';
import { prepareFile, syncFolder, takeLock } from './folder';
import type { Batch, Note, Reply, Request, Trouble } from './protocol';
import { finishRepair, repair } from './repair';
import { giveBack } from './space';
import { FORMAT, readMeta, TABLES, writeMeta } from './schema';
import { openDatabase, troubleOf } from './sqlite';
import { dirname } from 'node:path';

/** What a probe writes: a disk that takes this takes ordinary batches. */
const PROBE_BYTES = 65_536;
/** Running time that a crash may forget. */
const NOTE_TIME_MS = 59_000;
/** Repairs of one thread after which a pause comes before the next. */
const MOST_REPAIRS = 5;

export class Keeper {
  #path = '';
  #lock: DatabaseSync | undefined;
  #db: DatabaseSync | undefined;
  #engine: Engine | undefined;
  /** The connection failed and must be replaced before it is used again. */
  #broken = false;
  /** Something was rolled back: what memory counted is read anew. */
  #stale = false;
  #repairs = 0;
  #saved = 0;
  #notes: Note[] = [];

  answer(request: Request): Reply {
    const reply = this.#answer(request);
    const notes = this.#notes;
    this.#notes = [];
    return notes.length > 0 ? { ...reply, notes } : reply;
  }

  #answer(request: Request): Reply {
    try {
      switch (request.do) {
        case 'start':
          return this.#start(request.path);
        case 'batch':
          return this.#batch(request);
        case 'tidy':
          return this.#tidy(request.now);
        case 'probe':
          return this.#probe(request.now);
        default:
          return this.#end(request.now);
      }
    } catch (error) {
      return { trouble: this.#failed(error) };
    }
  }

  #start(path: string): Reply {
    this.#path = path;
    try {
      prepareFile(path);
      this.#lock = takeLock(path);
      this.#open();
    } catch (error) {
      this.#closeAll();
      throw error;
    }
    return { running: this.#engine?.now ?? 0 };
  }

  /** Opens the file; a damaged one is set aside, and what can be read of it comes back. */
  #open(): void {
    try {
      this.#connect();
    } catch (error) {
      if (troubleOf(error).kind !== 'damaged') throw error;
      this.#mend((error as Error).message);
    }
  }

  #connect(): void {
    finishRepair(this.#path);
    prepareFile(this.#path);
    const db = openDatabase(this.#path);
    try {
      prepareTables(db);
      syncFolder(dirname(this.#path));
      this.#engine = new Engine(db, this.#engine);
    } catch (error) {
      db.close();
      throw error;
    }
    this.#db = db;
    this.#broken = false;
    this.#stale = false;
  }

  /** A damaged page is repaired under way, and the batch carried out after all. */
  #batch(batch: Batch): Reply {
    for (;;) {
      if (this.#broken || !this.#engine) throw new NotReady();
      if (this.#stale) this.#engine.reload();
      this.#stale = false;
      try {
        return this.#engine.run(batch);
      } catch (error) {
        const { kind, message } = troubleOf(error);
        this.#stale = true;
        if (kind !== 'damaged') throw error;
        if (this.#repairs >= MOST_REPAIRS) throw new DamagedAgain(message);
        this.#mend(message);
      }
    }
  }

  /** Says what went wrong. After trouble with the disk its connection is replaced before it is used again. */
  #failed(error: unknown): Trouble {
    this.#stale = true;
    const trouble = troubleOf(error);
    const known = error instanceof NotReady || error instanceof DamagedAgain;
    const kind = known || trouble.kind === 'damaged' ? 'disk' : trouble.kind;
    if (kind === 'disk' || kind === 'locked') this.#broken = true;
    return { kind, message: trouble.message };
  }

  #tidy(now: number): Reply {
    if (this.#broken || !this.#db || !this.#engine) return {};
    if (now - this.#saved >= NOTE_TIME_MS) {
      this.#engine.saveTime(now);
      this.#saved = now;
    }
    return { more: giveBack(this.#db) };
  }

  #mend(why: string): void {
    this.#repairs += 1;
    this.#close();
    const open = [...(this.#engine?.shelves() ?? [])];
    this.#notes.push(...repair(this.#path, why, open));
    this.#connect();
    for (const shelf of this.#engine?.shelves() ?? []) shelf.forgetLost();
  }

  /**
   * Tries whether the disk works again. What the failed connection had committed is first brought into the file:
   * that also empties the log of what it could not sync, so that a half-written batch cannot come back later. Only
   * this connection knows which part of the log was refused: while it cannot empty it, it stays.
   */
  #probe(now: number): Reply {
    if (this.#db?.isOpen) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      this.#close();
    }
    this.#open();
    const db = this.#db;
    if (!db || !this.#engine) throw new NotReady();
    db.exec('CREATE TABLE IF NOT EXISTS probe(id INTEGER PRIMARY KEY, bytes BLOB)');
    db.prepare('INSERT OR REPLACE INTO probe(id, bytes) VALUES(1, zeroblob(?))').run(PROBE_BYTES);
    db.exec('DELETE FROM probe');
    this.#engine.saveTime(now);
    this.#repairs = 0;
    return {};
  }

  #end(now: number): Reply {
    try {
      if (!this.#broken) this.#engine?.saveTime(now);
      if (!this.#broken) this.#db?.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      this.#closeAll();
    }
    return {};
  }

  #close(): void {
    try {
      this.#db?.close();
    } catch {
      // Nothing to lose: what was committed is in the file or its log.
    }
    this.#db = undefined;
  }

  #closeAll(): void {
    this.#close();
    try {
      this.#lock?.close();
    } catch {
      // The lock ends with the process at the latest.
    }
    this.#lock = undefined;
  }
}

class NotReady extends Error {
  constructor() {
    super('the file has not been opened again yet');
  }
}

class DamagedAgain extends Error {
  constructor(why: string) {
    super(`it is damaged again and again: ${why}; check the disk`);
  }
}

function prepareTables(db: DatabaseSync): void {
  db.exec(TABLES);
  const format = readMeta(db, 'format');
  if (format === undefined) writeMeta(db, 'format', FORMAT);
  else if (Number(format) > FORMAT) {
    throw Object.assign(new Error(`it was written by a newer version (format ${Number(format)})`), {
      newer: true,
    });
  }
}
