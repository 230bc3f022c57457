/** Answers of a queue and of the model in one form, so that they can be compared as texts. */
import { isFailure } from '../../../lib/core';
import type { Attempt, DeadLetterDetail, Leased, QueueStats, RecordSummary } from '../../../lib/queue';
import { EXHAUSTED, EXPIRED, FAILED, type Letter, type ModelQueue } from './model';

/** Canonical text. */
export type Answer = string;

export function answerOf(value: unknown): Answer {
  return JSON.stringify(value ?? null);
}

/** A refusal is an answer too; anything that is no Failure is a fault of the store, and thrown. */
export function refusalOf(error: unknown): Answer {
  if (!isFailure(error)) throw error;
  return answerOf(error.code);
}

export function told(leased: readonly Leased[]): unknown {
  return leased.map(({ entry, delivery, history }) => ({
    id: entry.id,
    key: entry.key,
    body: textOf(entry.body),
    delivery,
    history: historyOf(history),
  }));
}

/** The sequence's own attempts are known by their sentence, the store's by their code. */
export function historyOf(history: readonly Attempt[]): string[] {
  return history
    .filter(({ code }) => code !== EXHAUSTED)
    .map(({ code, message }) => (code === EXPIRED ? EXPIRED : message));
}

export function toldDead(letters: readonly DeadLetterDetail[]): Answer[] {
  return letters.map(({ id, key, body, attempts, code, history }) =>
    answerOf({
      id,
      key,
      body: textOf(body),
      attempts,
      code: code === EXPIRED ? EXPIRED : FAILED,
      history: historyOf(history),
    }),
  );
}

export function modelDead({ id, key, body, attempts, code, history }: Letter): Answer {
  return answerOf({ id, key, body, attempts, code, history });
}

export function toldStats({ waiting, leased, delayed, dead, bytes, oldestMs, totals }: QueueStats): Answer {
  const { put, acknowledged, died, replayed, dropped, duplicates } = totals;
  const { full, old, purged } = dropped;
  const counts = { put, acknowledged, died, replayed, full, old, purged, duplicates };
  return answerOf({ waiting, leased, delayed, dead, bytes, oldestMs, ...counts });
}

export function modelStats(model: ModelQueue): Answer {
  const { records, dead, bytes, totals, now } = model;
  const count = (state: string): number => records.filter((record) => record.state === state).length;
  const there = { waiting: count('waiting'), leased: count('leased'), delayed: count('delayed') };
  const oldestMs = records[0] ? now - records[0].at : 0;
  const { put, acknowledged, died, replayed, full, old, purged, duplicates } = totals;
  const counts = { put, acknowledged, died, replayed, full, old, purged, duplicates };
  return answerOf({ ...there, dead: dead.length, bytes, oldestMs, ...counts });
}

export function toldShelf(found: readonly RecordSummary[]): Answer {
  return answerOf(found.map(({ id, key, bytes, delivery, state }) => [id, key, bytes, delivery, state]));
}

export function modelShelf({ records }: ModelQueue): Answer {
  return answerOf(
    records.map(({ id, key, body, delivery, state }) => [id, key, body.length, delivery, state]),
  );
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString();
}
