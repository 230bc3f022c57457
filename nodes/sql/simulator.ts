/**
 * A seeded SQLite database in a folder of its own. SQLite has no server, so the file is what a connection
 * talks to; `host` and `port` name no listener (docs/decisions/0004-sql-simulator.md).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../lib/core';

export interface SqlSimulator {
  readonly host: string;
  readonly port: number;
  /** The database file, absolute. */
  readonly file: string;
  close(): Promise<void>;
}

const TABLES = `
  CREATE TABLE machines (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, line TEXT NOT NULL, built TEXT NOT NULL);
  CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    machine_id INTEGER NOT NULL REFERENCES machines (id),
    product TEXT NOT NULL,
    pieces INTEGER NOT NULL CHECK (pieces > 0),
    state TEXT NOT NULL
  );
  CREATE TABLE readings (
    tag TEXT, value REAL, quality TEXT, status TEXT, source_time TEXT, received_time TEXT, unit TEXT
  );`;
const PRODUCTS = ['Flange', 'Housing', 'Shaft', 'Cover'];
const STATES = ['planned', 'running', 'done'];

/** The same seed gives the same rows; times count back from the clock. */
export async function start(options: {
  readonly seed: number;
  readonly clock: Clock;
}): Promise<SqlSimulator> {
  const { DatabaseSync } = await import('node:sqlite');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-sql-'));
  const file = join(folder, 'simulated.sqlite');
  const db = new DatabaseSync(file);
  try {
    db.exec(`BEGIN; ${TABLES}`);
    seed(db, randomOf(options.seed), options.clock.now());
    db.exec('COMMIT');
  } finally {
    db.close();
  }
  // SQLite's own side files can still be going away while the folder is emptied.
  const close = (): Promise<void> =>
    rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  return { host: '127.0.0.1', port: 0, file, close };
}

interface Preparing {
  prepare(sql: string): { run(...values: (string | number)[]): unknown };
}

function seed(db: Preparing, random: () => number, now: number): void {
  const machine = db.prepare('INSERT INTO machines VALUES (?, ?, ?, ?)');
  const order = db.prepare('INSERT INTO orders VALUES (?, ?, ?, ?, ?)');
  const reading = db.prepare('INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)');
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? '';
  for (let id = 1; id <= 8; id += 1) {
    machine.run(id, `Press ${id}`, `Line ${1 + (id % 3)}`, `20${10 + id}-03-01`);
  }
  for (let id = 1; id <= 40; id += 1) {
    order.run(id, 1 + (id % 8), pick(PRODUCTS), 1 + Math.floor(random() * 500), pick(STATES));
  }
  for (let i = 0; i < 240; i += 1) {
    const time = new Date(now - (240 - i) * 60_000).toISOString();
    const value = Math.round((60 + 10 * Math.sin(i / 20) + random()) * 100) / 100;
    reading.run('press1.temperature', value, 'good', '', time, time, '°C');
  }
}

/** A small linear congruential generator (Numerical Recipes). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
