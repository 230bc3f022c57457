/** The parts of a Link that need only its own statements. SQLite does both in one step inside its thread. */
import { Failure } from '../../../lib/core';
import { classify } from '../classify';
import { Room } from './room';
import type { Chunk, ResultSet, Statement } from './types';

export interface Steps {
  /** `room` is for the rows; without it they get a room of their own. */
  run(statement: Statement, room?: Room): Promise<ResultSet>;
  begin(mode: 'read' | 'write'): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  savepoint(): Promise<void>;
  rollbackToSavepoint(): Promise<void>;
}

/**
 * Runs `work` between begin and commit. What fails before the commit was sent has certainly changed nothing;
 * the failure says so, and even a call that must not happen twice may be repeated.
 */
export async function inTransaction<T>(
  link: Steps,
  mode: 'read' | 'write',
  work: () => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    await link.begin(mode);
    result = await work();
  } catch (error) {
    await link.rollback().catch(() => {});
    throw notReached(error);
  }
  await link.commit();
  return result;
}

/** The same failure, saying that nothing was changed. */
export function notReached(error: unknown): Failure {
  const { kind, code, message, details, retryAfterMs, cause } = classify(error);
  return new Failure(kind, code, message, {
    details,
    reached: false,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(cause === undefined ? {} : { cause }),
  });
}

export function script(link: Steps, statements: readonly Statement[]): Promise<readonly ResultSet[]> {
  return inTransaction(link, 'write', async () => {
    const results: ResultSet[] = [];
    const room = new Room();
    for (const [index, statement] of statements.entries()) {
      try {
        results.push(await link.run(statement, room));
      } catch (error) {
        throw numbered(error, index);
      }
    }
    return results;
  });
}

/** The failure of one statement among several that were all undone; `index` counts from 0. */
export function numbered(error: unknown, index: number): Failure {
  const { kind, code, message, details } = notReached(error);
  return new Failure(kind, code, `Statement ${index + 1}, all undone: ${message}`, {
    details: { ...details, statement: index + 1 },
    reached: false,
  });
}

export async function atomically(link: Steps, statements: readonly Statement[]): Promise<number> {
  const [only] = statements;
  if (!only) return 0;
  // One statement is atomic by itself and saves two round trips.
  if (statements.length === 1) return (await link.run(only)).rowCount;
  return inTransaction(link, 'write', async () => {
    let changed = 0;
    for (const statement of statements) changed += (await link.run(statement)).rowCount;
    return changed;
  });
}

export async function tolerantly(
  link: Steps,
  chunks: readonly Chunk[],
): Promise<ReadonlyMap<number, unknown>> {
  const refused = new Map<number, unknown>();
  const [only] = chunks;
  if (!only) return refused;
  if (chunks.length === 1) {
    try {
      await link.run(only.statement(0, only.count));
      return refused;
    } catch (error) {
      if (!isRefused(error)) throw error;
      if (only.count === 1 || !isRowError(error)) return refuse(only, 0, only.count, error, refused);
    }
  }
  return inTransaction(link, 'write', async () => {
    for (const chunk of chunks) await bisect(link, chunk, 0, chunk.count, refused);
    return refused;
  });
}

/** Halves a refused chunk until the refused rows stand alone: two rows of n cost about 4·log2(n) statements. */
async function bisect(
  link: Steps,
  chunk: Chunk,
  from: number,
  to: number,
  refused: Map<number, unknown>,
): Promise<void> {
  await link.savepoint();
  try {
    await link.run(chunk.statement(from, to));
    return;
  } catch (error) {
    if (!isRefused(error)) throw error;
    await link.rollbackToSavepoint();
    if (to - from === 1 || !isRowError(error)) {
      refuse(chunk, from, to, error, refused);
      return;
    }
  }
  const middle = (from + to) >> 1;
  await bisect(link, chunk, from, middle, refused);
  await bisect(link, chunk, middle, to, refused);
}

function refuse(
  chunk: Chunk,
  from: number,
  to: number,
  error: unknown,
  refused: Map<number, unknown>,
): Map<number, unknown> {
  for (let row = from; row < to; row += 1) refused.set(chunk.item(row), error);
  return refused;
}

/** Whether the database refused what was written, so that other statements may still be fine. */
function isRefused(error: unknown): boolean {
  return classify(error).kind === 'rejected';
}

/** Whether one row may be to blame; a missing table or right concerns every row of the statement. */
function isRowError(error: unknown): boolean {
  const { code } = classify(error);
  return code === 'SQL_CONSTRAINT' || code === 'SQL_VALUE';
}
