import { Failure } from '../../core';

const QUEUE = /^[A-Za-z0-9._\-/]{1,100}$/;
const PREFIX = /^[A-Za-z0-9_-]{1,32}$/;

/** Names of a queue and of its dead letters on the broker; the prefix parts tell them apart whatever the name is. */
export interface Places {
  readonly queue: string;
  readonly dead: string;
}

export function placesOf(prefix: string, name: string): Places {
  if (!QUEUE.test(name)) {
    throw bad(
      'The name of a queue has 1 to 100 letters, digits and ". _ - /". Check the name in the queue node.',
    );
  }
  return { queue: `${prefix}.queue.${name}`, dead: `${prefix}.dead.${name}` };
}

export function checkPrefix(prefix: string): void {
  if (!PREFIX.test(prefix)) throw bad('The prefix of the queues has 1 to 32 letters, digits, "_" and "-".');
}

export function bad(sentence: string, details: Record<string, unknown> = {}): Failure {
  return new Failure('config', 'BAD_CONFIG', sentence, { reached: false, details });
}
