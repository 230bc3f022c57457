/** What the memory store refuses, and how it says so. */
import { Failure } from '../../core';
import type { Attempt, Entry } from '../types';

const NAME = /^[A-Za-z0-9._\-/]{1,100}$/;
const BROKEN_TEXT = /\p{Surrogate}/u;
const LONGEST_MESSAGE = 1_000;
const MOST_ATTEMPTS = 20;
const LONGEST_KEY = 1_000;

export function checkName(name: string): void {
  if (typeof name === 'string' && NAME.test(name)) return;
  const text = 'The name of a queue must have 1 to 100 characters: letters, digits, ".", "_", "-" or "/".';
  throw new Failure('config', 'BAD_CONFIG', text, { reached: false });
}

export function checkEntry({ id, key, time, body }: Entry): void {
  if (typeof id !== 'string' || id.length < 1 || id.length > 200 || BROKEN_TEXT.test(id))
    throw badEntry('The id of a message to store must be a text of 1 to 200 characters.');
  if (typeof key !== 'string' || key.length > 200 || BROKEN_TEXT.test(key))
    throw badEntry('The order key of a message to store must be a text of at most 200 characters.');
  if (typeof time !== 'number' || !Number.isFinite(time))
    throw badEntry('The time of a message to store must be a number of milliseconds since 1970.');
  if (!(body instanceof Uint8Array)) throw badEntry('The body of a message to store must be bytes.');
}

export function checkKey(key: string): void {
  if (typeof key === 'string' && key.length >= 1 && key.length <= LONGEST_KEY) return;
  throw badEntry(`A key to remember must be a text of 1 to ${LONGEST_KEY} characters.`);
}

/** The newest attempts, with bounded sentences. */
export function boundedHistory(history: readonly Attempt[]): readonly Attempt[] {
  return history.slice(-MOST_ATTEMPTS).map((attempt) => {
    const { message } = attempt;
    if (message.length <= LONGEST_MESSAGE) return attempt;
    return { ...attempt, message: `${message.slice(0, LONGEST_MESSAGE)}…` };
  });
}

export function badEntry(sentence: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', sentence, { reached: false });
}

export function closed(what: string): Failure {
  return new Failure('transient', 'QUEUE_UNAVAILABLE', `${what} has been closed here.`, { reached: false });
}

export function full(name: string): Failure {
  const text = `Queue ${name} holds as much as its limits allow; the message was not stored. Check why it is not taken from, or raise the limits.`;
  return new Failure('transient', 'QUEUE_FULL', text, { reached: false });
}
