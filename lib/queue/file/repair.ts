/**
 * Brings what can be read of a damaged file into a new one, and keeps the damaged one for inspection. The new file
 * takes its place only when it is complete, so that a crash or a full disk in between loses nothing.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { dirname } from 'node:path';
import { type Counters, readTotals, saveQueue } from './counters';
import { PARTS, setAside, syncFolder } from './folder';
import { checksum, headLength, isSound, readKey } from './frame';
import type { Note } from './protocol';
import { type Found, LAST_POSITION, salvage, salvageSmall } from './salvage';
import { FORMAT, queueTables, TABLES, writeMeta } from './schema';
import { asBuffer, loadSqlite, openDatabase } from './sqlite';

/** Rows of one commit, so that the log does not grow with the file. */
const COMMIT = 10_000;

/** Lets the schema be writable, see `copyAll`. Newer than the types. */
const UNGUARDED = { defensive: false } as object;

/** A queue that must exist afterwards, because it is open. */
export interface KnownQueue {
  readonly id: number;
  readonly name: string;
}

const repairedName = (path: string): string => `${path}.repaired`;

/** A repair that was interrupted when its new file was complete. */
export function finishRepair(path: string): void {
  if (!existsSync(repairedName(path))) return;
  if (existsSync(path)) setAside(path);
  renameSync(repairedName(path), path);
  syncFolder(dirname(path));
}

export function repair(path: string, why: string, known: readonly KnownQueue[]): Note[] {
  const draft = `${path}.repair`;
  for (const part of PARTS) rmSync(draft + part, { force: true });
  const target = openDatabase(draft);
  let report: string;
  try {
    report = copyAll(path, target, known);
    target.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    target.close();
  }
  renameSync(draft, repairedName(path));
  syncFolder(dirname(path));
  const aside = setAside(path);
  finishRepair(path);
  return [
    { level: 'warn', text: `The queue file ${path} was damaged (${why}). ${report} It is kept as ${aside}.` },
  ];
}

function copyAll(path: string, target: DatabaseSync, known: readonly KnownQueue[]): string {
  target.exec(TABLES);
  writeMeta(target, 'format', FORMAT);
  const sqlite = loadSqlite();
  let source: DatabaseSync | undefined;
  try {
    source = sqlite && new sqlite.DatabaseSync(path, UNGUARDED);
    // With a writable schema SQLite also reads a file that was cut off; nothing is written to it.
    source?.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA writable_schema = ON');
    return new Copy(source, target).run(known);
  } finally {
    try {
      source?.close();
    } catch {
      // It is set aside as it is.
    }
  }
}

class Copy {
  readonly #source: DatabaseSync | undefined;
  readonly #target: DatabaseSync;
  #uncommitted = 0;
  #records = 0;
  #letters = 0;
  #lost = 0;
  #sound = true;

  constructor(source: DatabaseSync | undefined, target: DatabaseSync) {
    this.#source = source;
    this.#target = target;
  }

  run(known: readonly KnownQueue[]): string {
    this.#target.exec('BEGIN');
    this.#small('meta');
    this.#small('spaces');
    this.#small('claims');
    this.#dead();
    for (const { id, saved } of this.#queues(known)) this.#queue(id, saved);
    this.#target.exec('COMMIT');
    const lost =
      this.#lost > 0
        ? `${this.#lost} records could not be read.`
        : this.#sound
          ? 'Nothing was missing.'
          : 'How many could not be read is unknown.';
    return `${this.#records} records and ${this.#letters} dead letters were recovered. ${lost}`;
  }

  #small(table: string): void {
    this.#note(this.#source && salvageSmall(this.#source, table, (row) => this.#insert(table, row)));
  }

  #dead(): void {
    if (!this.#source) return;
    this.#note(salvage(this.#source, 'dead', 'number', (row) => this.#insert('dead', row)));
    this.#note(salvage(this.#source, 'dead_rows', 'number', (row) => this.#insert('dead_rows', row)));
    // A letter without its message, or a message without its letter, is of no use.
    this.#target.exec(`DELETE FROM dead WHERE number NOT IN (SELECT number FROM dead_rows);
      DELETE FROM dead_rows WHERE number NOT IN (SELECT number FROM dead)`);
    this.#letters = Number(this.#target.prepare('SELECT count(*) AS n FROM dead').get()?.['n'] ?? 0);
  }

  /** The queues that are named, those that are open, and those whose records stand there without a name. */
  #queues(known: readonly KnownQueue[]): { id: number; saved: Found | undefined }[] {
    const found = new Map<number, Found | undefined>();
    if (this.#source) {
      this.#note(
        salvage(this.#source, 'queues', 'id', (row) => {
          if (typeof row['name'] === 'string') found.set(Number(row['id']), row);
        }),
      );
      salvageSmall(this.#source, 'sqlite_master', ({ name }) => {
        const id = /^q(\d{1,9})$/.exec(String(name))?.[1];
        if (id !== undefined && !found.has(Number(id))) found.set(Number(id), undefined);
      });
    }
    const names = new Map(known.map(({ id, name }) => [id, name]));
    for (const { id } of known) if (!found.has(id)) found.set(id, undefined);
    for (const [id, row] of found) {
      const name = row ? String(row['name']) : (names.get(id) ?? `recovered-${id}`);
      this.#target.prepare('INSERT OR IGNORE INTO queues(id, name) VALUES(?, ?)').run(id, name);
      this.#target.exec(queueTables(id));
    }
    return [...found].map(([id, saved]) => ({ id, saved }));
  }

  #queue(id: number, saved: Found | undefined): void {
    const counted = { next: Number(saved?.['next'] ?? 1), records: 0, bytes: 0, keyed: 0 };
    if (this.#source) {
      const last = saved ? Math.max(1, counted.next) : LAST_POSITION;
      this.#note(salvage(this.#source, `q${id}`, 'seq', (row) => this.#record(id, row, counted), last));
      this.#note(salvage(this.#source, `d${id}`, 'seq', (row) => this.#insert(`d${id}`, row)));
      this.#note(salvageSmall(this.#source, `s${id}`, (row) => this.#insert(`s${id}`, row)));
    }
    this.#target.exec(`DELETE FROM d${id} WHERE seq NOT IN (SELECT seq FROM q${id})`);
    const totals = readTotals(saved?.['totals']);
    const lost = Math.max(0, Number(saved?.['records'] ?? counted.records) - counted.records);
    if (!saved) this.#sound = false;
    this.#lost += lost;
    this.#records += counted.records;
    const counters: Counters = { ...counted, ...totals, purged: totals.purged + lost };
    const { acknowledged, died, full, old, purged } = counters;
    counters.put = acknowledged + died + full + old + purged + counters.records;
    const leased = saved?.['leased'] instanceof Uint8Array ? saved['leased'] : new Uint8Array();
    saveQueue(this.#target, id, counters, leased, Number(saved?.['running'] ?? 0));
  }

  #record(id: number, row: Found, counted: Pick<Counters, 'next' | 'records' | 'bytes' | 'keyed'>): void {
    // Not what was written: it stays in the damaged file only.
    if (!(row['body'] instanceof Uint8Array)) return;
    const body = asBuffer(row['body']);
    if (checksum(Number(row['seq']), body) !== row['crc'] || !isSound(body)) return;
    this.#insert(`q${id}`, row);
    counted.next = Math.max(counted.next, Number(row['seq']) + 1);
    counted.records += 1;
    counted.bytes += body.length - headLength(body);
    if (readKey(body) !== '') counted.keyed += 1;
  }

  #insert(table: string, row: Found): void {
    if (!isJson(row['facts']) || !isJson(row['history'])) return;
    // The columns are those of the damaged file's own schema: only names that this version knows are taken.
    const names = Object.keys(row).filter((name) => /^[a-z]{1,20}$/.test(name));
    const marks = names.map(() => '?').join(', ');
    this.#target
      .prepare(`INSERT OR REPLACE INTO ${table}(${names.join(', ')}) VALUES(${marks})`)
      .run(...names.map((name) => row[name] as string | number | Uint8Array | null));
    this.#uncommitted += 1;
    if (this.#uncommitted < COMMIT) return;
    this.#uncommitted = 0;
    this.#target.exec('COMMIT; BEGIN');
  }

  #note(result: { readonly errors: number } | undefined): void {
    if (!result || result.errors > 0) this.#sound = false;
  }
}

/** Columns that hold JSON are absent, empty or readable. */
function isJson(text: unknown): boolean {
  if (text === undefined || text === null || text === '') return true;
  try {
    JSON.parse(text as string);
    return true;
  } catch {
    return false;
  }
}
