/** The tables of the file. Names of queues never reach SQL: their tables carry numbers. */
import type { DatabaseSync } from 'node:sqlite';

/** Raised with the shape of the tables. */
export const FORMAT = 1;

export const TABLES = `
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queues(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  next INTEGER NOT NULL DEFAULT 1, records INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
  keyed INTEGER NOT NULL DEFAULT 0, running REAL NOT NULL DEFAULT 0,
  totals TEXT NOT NULL DEFAULT '{}', leased BLOB);
CREATE TABLE IF NOT EXISTS dead(
  number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, queue TEXT NOT NULL, node TEXT NOT NULL,
  kind TEXT NOT NULL, code TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, last REAL NOT NULL,
  bytes INTEGER NOT NULL, facts TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS dead_queue ON dead(queue);
CREATE TABLE IF NOT EXISTS dead_rows(number INTEGER PRIMARY KEY, history TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS spaces(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS claims(
  space INTEGER NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY(space, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_age ON claims(space, at);
`;

/** q: the records. d: completed deliveries and attempts of those that have any. s: ids seen, for duplicates. */
export function queueTables(id: number): string {
  return `
CREATE TABLE IF NOT EXISTS q${id}(seq INTEGER PRIMARY KEY, at REAL, key TEXT, crc INTEGER, body BLOB);
CREATE INDEX IF NOT EXISTS k${id} ON q${id}(key) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS d${id}(seq INTEGER PRIMARY KEY, delivery INTEGER, history TEXT);
CREATE TABLE IF NOT EXISTS s${id}(id TEXT PRIMARY KEY, at REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS a${id} ON s${id}(at);`;
}

export function readMeta(db: DatabaseSync, name: string): unknown {
  return db.prepare('SELECT value FROM meta WHERE name = ?').get(name)?.['value'];
}

export function writeMeta(db: DatabaseSync, name: string, value: number | string): void {
  db.prepare(
    'INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  ).run(name, value);
}
