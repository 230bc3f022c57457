/** Carries out requests on the dead letters of a store. */
import { Failure, toFailure } from '../../core';
import { encodedText, parseEdited } from '../codec';
import type { DeadFilter, DeadLetterDetail, DeadLetters, QueueStore } from '../types';
import { factsOf, historyOf, type AttemptFacts, type DeadFacts } from './facts';
import type { DeadRequest } from './request';

/** The answer to `list`. */
export interface DeadPage {
  readonly letters: readonly DeadFacts[];
  /** What `after` must be for the next page; null when this was the last. */
  readonly next: number | null;
  /** Of the whole store, whatever the filter was. `dropped` made room for newer ones. */
  readonly totals: { readonly records: number; readonly bytes: number; readonly dropped: number };
}
/** The answer to `show`. */
export interface ShownLetter extends DeadFacts {
  /** The original message as JSON text; "" when it cannot be read. */
  readonly message: string;
  /** Why it cannot be read. */
  readonly unreadable?: string;
  /** The last failed deliveries, oldest first. */
  readonly history: readonly AttemptFacts[];
}
export type DeadAnswer = DeadPage | ShownLetter | { readonly replayed: number } | { readonly purged: number };

/** Codes of failures that only requests on dead letters have. */
export const DEAD_CODES = {
  DEAD_LETTER_UNKNOWN: 'There is no dead letter with this number (any more).',
} as const;

/** The dead letters of a store; a Failure where the broker keeps them. */
export function deadOf(store: QueueStore): DeadLetters {
  if (store.dead) return store.dead;
  throw new Failure('rejected', 'BAD_MESSAGE', 'This store keeps no dead letters; its broker does.', {
    reached: false,
  });
}

export async function runRequest(dead: DeadLetters, request: DeadRequest): Promise<DeadAnswer> {
  switch (request.action) {
    case 'list':
      return listPage(dead, request);
    case 'show': {
      const letter = await getLetter(dead, request.number);
      return { ...factsOf(letter), ...messageOf(letter.body), history: historyOf(letter) };
    }
    case 'replay': {
      const { filter, message } = request;
      const body = message === undefined ? [] : [parseEdited(message)];
      const replayed = await dead.replay(filter, ...body);
      if (replayed === 0) refuseUnknown(filter);
      return { replayed };
    }
    case 'purge': {
      const purged = await dead.purge(request.filter);
      if (purged === 0) refuseUnknown(request.filter);
      return { purged };
    }
  }
}

/** The whole letter; a Failure when there is none of this number. */
export async function getLetter(dead: DeadLetters, number: number): Promise<DeadLetterDetail> {
  const letter = await dead.get(number);
  if (!letter) throw unknownNumber(number);
  return letter;
}

/** A damaged message must not hide the rest of its letter. */
function messageOf(body: Uint8Array): { message: string; unreadable?: string } {
  try {
    return { message: encodedText(body) };
  } catch (error) {
    return { message: '', unreadable: toFailure(error).message };
  }
}

async function listPage(
  dead: DeadLetters,
  { filter, after, limit }: Extract<DeadRequest, { action: 'list' }>,
): Promise<DeadPage> {
  const letters = await dead.list(filter, { after, limit });
  const { records, bytes, dropped } = await dead.stats();
  const last = letters.length === limit ? letters.at(-1) : undefined;
  return { letters: letters.map(factsOf), next: last?.number ?? null, totals: { records, bytes, dropped } };
}

/** Numbers were read somewhere before: that none of them exists is worth a sentence, an empty filter result is not. */
function refuseUnknown({ numbers }: DeadFilter): void {
  const [first] = numbers ?? [];
  if (first !== undefined) throw unknownNumber(first);
}

function unknownNumber(number: number): Failure {
  const sentence = `There is no dead letter ${number}: it was replayed or removed, made room for newer ones, or never existed. List them again.`;
  return new Failure('rejected', 'DEAD_LETTER_UNKNOWN', sentence, { reached: false });
}
