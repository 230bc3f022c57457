/** A dead letter as people and flows see it: times as ISO 8601, the failure's sentence as the reason. */
import type { FailureKind } from '../../core';
import type { DeadLetter, DeadLetterDetail, Source } from '../types';

export interface DeadFacts {
  readonly number: number;
  readonly queue: string;
  readonly id: string;
  readonly key: string;
  /** When the message came to be. */
  readonly time: string;
  readonly bytes: number;
  readonly attempts: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly kind: FailureKind;
  readonly code: string;
  readonly reason: string;
  readonly source: Source;
}
export interface AttemptFacts {
  readonly at: string;
  readonly kind: FailureKind;
  readonly code: string;
  readonly reason: string;
  readonly source?: Source;
}

export function factsOf(letter: DeadLetter): DeadFacts {
  const { number, queue, id, key, bytes, attempts, kind, code, source } = letter;
  return {
    number,
    queue,
    id,
    key,
    time: isoTime(letter.time),
    bytes,
    attempts,
    firstAt: isoTime(letter.firstAt),
    lastAt: isoTime(letter.lastAt),
    kind,
    code,
    reason: letter.message,
    source: { node: source.node, name: source.name, type: source.type, flow: source.flow },
  };
}

export function historyOf(letter: DeadLetterDetail): readonly AttemptFacts[] {
  return letter.history.map(({ at, kind, code, message, source }) => {
    const facts = { at: isoTime(at), kind, code, reason: message };
    return source ? { ...facts, source } : facts;
  });
}

/** A clock without a battery, or a damaged file, may have given a time that no calendar has. */
function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
