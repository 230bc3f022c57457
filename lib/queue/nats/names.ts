/** Names on the server. Nothing of a user's name can become a wildcard or a second token of a subject. */
import { Failure } from '../../core';

const QUEUE_NAME = /^[A-Za-z0-9._/-]{1,100}$/;
const PREFIX = /^[A-Za-z0-9_-]{1,32}$/;
const LONGEST_KEY = 200;

/** One token of a subject, also fit for a stream's name: letters, digits, `_`, `-` stay, the rest is written with `=`. */
export function token(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/gu, (char) => {
    if (char === '.') return '=d';
    if (char === '/') return '=s';
    return [...Buffer.from(char)]
      .map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join('');
  });
}

/** The queue name that `token` wrote; undefined when another program named the stream. */
export function queueNameOf(written: string): string | undefined {
  const name = written.replaceAll('=d', '.').replaceAll('=s', '/');
  return QUEUE_NAME.test(name) ? name : undefined;
}

export function checkPrefix(prefix: string): string {
  if (PREFIX.test(prefix)) return prefix;
  throw new Failure(
    'config',
    'BAD_CONFIG',
    `"${prefix.slice(0, 40)}" cannot begin names on a NATS server. Use 1 to 32 letters, digits, "_" or "-".`,
    { reached: false },
  );
}

export function checkQueueName(name: string): void {
  if (QUEUE_NAME.test(name)) return;
  throw new Failure(
    'config',
    'BAD_CONFIG',
    `"${name.slice(0, 100)}" is not a queue name. Use 1 to 100 letters, digits, ".", "_", "-" or "/".`,
    { reached: false },
  );
}

/** A key of a lease or of shared state as one token. */
export function keyToken(key: string): string {
  if (key.length >= 1 && key.length <= LONGEST_KEY) return token(key);
  throw new Failure(
    'config',
    'BAD_CONFIG',
    `The key "${key.slice(0, 40)}" must have 1 to ${LONGEST_KEY} characters.`,
    { reached: false },
  );
}

/** The names of one queue on the server. */
export interface QueueNames {
  readonly stream: string;
  readonly subject: string;
  readonly consumer: string;
  readonly hint: string;
  readonly dead: string;
  /** Begins the subjects of the notes on this queue's records. */
  readonly notes: string;
}

export function queueNames(prefix: string, name: string): QueueNames {
  const written = token(name);
  return {
    stream: `${prefix}_q_${written}`,
    subject: `${prefix}.q.${written}`,
    consumer: 'take',
    hint: `${prefix}.hint.${written}`,
    dead: `${prefix}.dead.${written}`,
    notes: `${prefix}.note.${written}`,
  };
}
