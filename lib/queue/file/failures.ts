/** The sentences of the file store. */
import { Failure } from '../../core';
import type { Trouble } from './protocol';

export function unavailable(sentence: string, reached = false): Failure {
  return new Failure('transient', 'QUEUE_UNAVAILABLE', sentence, { reached });
}

export function badEntry(sentence: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', sentence, { reached: false });
}

/** What a failed batch means for its callers. */
export function failureOf(path: string, trouble: Trouble): Failure {
  const { kind, message } = trouble;
  const options = { reached: false };
  switch (kind) {
    case 'missing':
      return new Failure(
        'config',
        'MISSING_LIBRARY',
        `The file store needs SQLite of Node.js 22.13 or newer, and this is ${process.version}; update Node.js or choose another store.`,
        options,
      );
    case 'newer':
      return new Failure(
        'config',
        'BAD_CONFIG',
        `The queue file ${path} cannot be used: ${message}. Update Holdfast, or give this installation a file of its own.`,
        options,
      );
    case 'locked':
      return new Failure(
        'config',
        'QUEUE_LOCKED',
        `The queue file ${path} is used by another process. Only one Node-RED or command may have it: end the other one, or give this one a user directory of its own.`,
        options,
      );
    case 'damaged':
    case 'disk':
      return unavailable(`The queue file ${path} cannot be used now (${message}); nothing was stored.`);
    default:
      return new Failure(
        'unclassified',
        'UNCLASSIFIED',
        `The queue file ${path} met an error that Holdfast does not know: ${message}.`,
        options,
      );
  }
}
