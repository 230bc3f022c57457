/** What a queue counts, kept in its row of `queues` and written with each commit that changed it. */
import type { DatabaseSync } from 'node:sqlite';

export interface Counters {
  /** The position that the next record gets; never given twice. */
  next: number;
  records: number;
  bytes: number;
  /** Records with a key. */
  keyed: number;
  put: number;
  acknowledged: number;
  died: number;
  replayed: number;
  full: number;
  old: number;
  purged: number;
  duplicates: number;
}

const TOTALS = ['put', 'acknowledged', 'died', 'replayed', 'full', 'old', 'purged', 'duplicates'] as const;

export interface SavedQueue {
  readonly counters: Counters;
  /** The positions that were leased with the last commit. */
  readonly leased: Uint8Array | undefined;
}

export function loadQueue(db: DatabaseSync, id: number): SavedQueue | undefined {
  const row = db
    .prepare('SELECT next, records, bytes, keyed, totals, leased FROM queues WHERE id = ?')
    .get(id);
  if (!row) return undefined;
  const totals = readTotals(row['totals']);
  const counters: Counters = {
    next: Number(row['next']),
    records: Number(row['records']),
    bytes: Number(row['bytes']),
    keyed: Number(row['keyed']),
    ...totals,
  };
  return { counters, leased: row['leased'] instanceof Uint8Array ? row['leased'] : undefined };
}

export function readTotals(text: unknown): Pick<Counters, (typeof TOTALS)[number]> {
  let raw: unknown;
  try {
    raw = JSON.parse(String(text));
  } catch {
    raw = undefined;
  }
  const found = (raw ?? {}) as Record<string, unknown>;
  const number = (name: string): number => {
    const value = found[name];
    return typeof value === 'number' && value >= 0 ? value : 0;
  };
  return Object.fromEntries(TOTALS.map((name) => [name, number(name)])) as ReturnType<typeof readTotals>;
}

export function saveQueue(
  db: DatabaseSync,
  id: number,
  counters: Counters,
  leased: Uint8Array,
  running: number,
): void {
  const { next, records, bytes, keyed, ...totals } = counters;
  db.prepare(
    'UPDATE queues SET next = ?, records = ?, bytes = ?, keyed = ?, totals = ?, leased = ?, running = ? WHERE id = ?',
  ).run(next, records, bytes, keyed, JSON.stringify(totals), leased, running, id);
}
