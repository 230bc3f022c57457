/**
 * Rows into SQLite and PostgreSQL: through Node-RED, one row per message with *collect* and arrays of 500 rows,
 * against node:sqlite and pg on the same table, with full durability on both sides.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Pool } from 'pg';
import { boot, type FlowNode, type Headless } from '../../lib/headless';
import { reachableSql, type SqlAddress } from '../helpers/services';
import { interleave } from './measure';
import type { BenchSuite, Report } from './types';

const ROUNDS = 5;
const MESSAGES = 20_000;
const SINGLES = 400;
const ARRAYS = 60;
const ROWS = 500;
const COLUMNS = 'tag text, value double precision, at text';
const INSERT = 'INSERT INTO bench_raw (tag, value, at)';

interface Row {
  readonly tag: string;
  readonly value: number;
  readonly at: string;
}
const row = (i: number): Row => ({ tag: `press.${i % 50}`, value: i * 0.25, at: '2026-01-01T00:00:00.000Z' });
const cells = (i: number): [string, number, string] => {
  const { tag, value, at } = row(i);
  return [tag, value, at];
};

/** The last node of a flow: tells the message's sender that it has come through. */
const END = `
module.exports = function (RED) {
  RED.nodes.registerType('bench-end', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, send, done) => { done(); msg.end(); });
  });
};`;

/** Sends `count` messages with at most `window` under way; rows a second. */
async function through(
  runtime: Headless,
  node: string,
  count: number,
  window: number,
  rows: number,
  payload: (i: number) => unknown,
): Promise<number> {
  const start = performance.now();
  await new Promise<void>((finished) => {
    let sent = 0;
    let ended = 0;
    const end = (): void => {
      ended += 1;
      if (ended === count) finished();
      else if (sent - ended <= window / 2) setImmediate(fill);
    };
    const fill = (): void => {
      for (; sent < count && sent - ended < window; sent += 1)
        runtime.receive(node, { payload: payload(sent), end });
    };
    fill();
  });
  return rate(count * rows, start);
}

const rate = (rows: number, start: number): number => (rows * 1000) / (performance.now() - start);
const arrayOf = (i: number): Row[] => Array.from({ length: ROWS }, (_, j) => row(i * ROWS + j));

function flow(postgres: SqlAddress | undefined): FlowNode[] {
  const adapter = {
    z: 'tab',
    x: 1,
    y: 1,
    type: 'holdfast-sql',
    operation: 'insert',
    table: 'bench_ours',
    wires: [['end']],
  };
  const one = (id: string, connection: string): FlowNode[] => [
    { ...adapter, id: `${id}-collect`, connection, collect: true, collectRows: 1000, timeout: '60s' },
    { ...adapter, id: `${id}-array`, connection, timeout: '60s' },
  ];
  const nodes: FlowNode[] = [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'file', type: 'holdfast-sql-connection', client: 'sqlite', file: 'ours.sqlite' },
    ...one('sqlite', 'file'),
    { id: 'end', z: 'tab', x: 1, y: 1, type: 'bench-end', wires: [] },
  ];
  if (!postgres) return nodes;
  const { host, port, database, user } = postgres;
  const server = {
    client: 'postgres',
    host,
    port,
    database,
    encrypt: false,
    authKind: 'basic',
    username: user,
  };
  return [
    ...nodes,
    { id: 'server', type: 'holdfast-sql-connection', ...server, poolMax: 10 },
    ...one('postgres', 'server'),
  ];
}

/** Both journals survive a power cut with FULL; `DELETE` is what a file opens with, `WAL` what Holdfast sets. */
function rawSqlite(file: string, journal: 'DELETE' | 'WAL') {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = FULL; CREATE TABLE bench_raw (${COLUMNS})`);
  const insert = db.prepare(`${INSERT} VALUES (?, ?, ?)`);
  return {
    single(): number {
      const start = performance.now();
      for (let i = 0; i < SINGLES; i += 1) insert.run(...cells(i));
      return rate(SINGLES, start);
    },
    arrays(): number {
      const start = performance.now();
      for (let i = 0; i < ARRAYS; i += 1) {
        db.exec('BEGIN IMMEDIATE');
        for (const { tag, value, at } of arrayOf(i)) insert.run(tag, value, at);
        db.exec('COMMIT');
      }
      return rate(ARRAYS * ROWS, start);
    },
    close: () => db.close(),
  };
}

function rawPostgres(pool: Pool) {
  const tuple = (_: unknown, i: number): string => `($${i * 3 + 1}, $${i * 3 + 2}, $${i * 3 + 3})`;
  const many = `${INSERT} VALUES ${Array.from({ length: ROWS }, tuple).join(', ')}`;
  const parallel = async (
    workers: number,
    count: number,
    work: (i: number) => Promise<unknown>,
  ): Promise<void> => {
    let next = 0;
    const run = async (): Promise<void> => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: workers }, run));
  };
  return {
    async single(): Promise<number> {
      const start = performance.now();
      await parallel(10, SINGLES * 5, (i) => pool.query(`${INSERT} VALUES ($1, $2, $3)`, cells(i)));
      return rate(SINGLES * 5, start);
    },
    async arrays(): Promise<number> {
      const start = performance.now();
      await parallel(8, ARRAYS, (i) =>
        pool.query(
          many,
          arrayOf(i).flatMap(({ tag, value, at }) => [tag, value, at]),
        ),
      );
      return rate(ARRAYS * ROWS, start);
    },
  };
}

function figures(
  report: Report,
  name: string,
  least: number,
  m: Record<'collect' | 'single' | 'arrays' | 'rawArrays', number>,
): void {
  const compare = (what: string, ours: number, reference: number, atLeast: number, of: string): void =>
    report.figure({
      name: `${name}: ${what}`,
      ours,
      reference,
      unit: 'rows/s',
      target: `at least ${atLeast} times ${of}`,
      ok: ours / reference >= atLeast,
    });
  compare('one row per message, collected', m.collect, m.single, least, 'one insert per message');
  compare('arrays of 500 rows', m.arrays, m.rawArrays, 0.8, 'the raw library');
}

async function measureSqlite(report: Report, runtime: Headless): Promise<void> {
  const ours = new DatabaseSync(join(runtime.userDir, 'ours.sqlite'));
  ours.exec(`CREATE TABLE bench_ours (${COLUMNS})`);
  ours.close();
  const plain = rawSqlite(join(runtime.userDir, 'plain.sqlite'), 'DELETE');
  const raw = rawSqlite(join(runtime.userDir, 'raw.sqlite'), 'WAL');
  try {
    const measured = await interleave(
      {
        single: () => plain.single(),
        walSingle: () => raw.single(),
        ownSingle: () => through(runtime, 'sqlite-array', SINGLES, 8, 1, row),
        collect: () => through(runtime, 'sqlite-collect', MESSAGES, 4000, 1, row),
        rawArrays: () => raw.arrays(),
        arrays: () => through(runtime, 'sqlite-array', ARRAYS, 8, ROWS, arrayOf),
      },
      ROUNDS,
    );
    figures(report, 'SQLite', 75, measured);
    // Only the first reference has a target: one insert per message as node:sqlite opens a file (rollback journal).
    const { collect } = measured;
    const against = (what: string, reference: number): void =>
      report.figure({
        name: `SQLite: collected, against ${what}`,
        ours: collect,
        reference,
        unit: 'rows/s',
        target: 'none',
        ok: true,
      });
    against('node:sqlite with WAL and FULL', measured.walSingle);
    against('our node without collect', measured.ownSingle);
  } finally {
    plain.close();
    raw.close();
  }
}

async function measurePostgres(report: Report, runtime: Headless, address: SqlAddress): Promise<void> {
  const pool = new Pool({ ...address, max: 10 });
  const drop = 'DROP TABLE IF EXISTS bench_raw; DROP TABLE IF EXISTS bench_ours';
  try {
    await pool.query(`${drop}; CREATE TABLE bench_raw (${COLUMNS}); CREATE TABLE bench_ours (${COLUMNS})`);
    const raw = rawPostgres(pool);
    const measured = await interleave(
      {
        single: () => raw.single(),
        collect: () => through(runtime, 'postgres-collect', MESSAGES, 4000, 1, row),
        rawArrays: () => raw.arrays(),
        arrays: () => through(runtime, 'postgres-array', ARRAYS, 8, ROWS, arrayOf),
      },
      ROUNDS,
    );
    figures(report, 'PostgreSQL, ten connections', 8, measured);
  } finally {
    await pool.query(drop);
    await pool.end();
  }
}

export const suite: BenchSuite = {
  name: 'sql',
  async run(report) {
    const userDir = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
    mkdirSync(join(userDir, 'nodes'));
    writeFileSync(join(userDir, 'nodes', 'end.js'), END);
    writeFileSync(join(userDir, 'nodes', 'end.html'), '');
    const postgres = await reachableSql('PostgreSQL');
    const credentials = { server: { password: postgres?.password ?? '' } };
    const runtime = await boot({ flows: flow(postgres), credentials, userDir });
    // The headless runner's record would keep every message, which no runtime in a plant does.
    runtime.RED.hooks.remove('*.holdfast-headless');
    try {
      await measureSqlite(report, runtime);
      if (postgres) await measurePostgres(report, runtime, postgres);
      else report.note('PostgreSQL cannot be reached, so its figures are missing.');
    } finally {
      await runtime.stop();
      rmSync(userDir, { recursive: true, force: true });
    }
  },
};
