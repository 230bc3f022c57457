/** SQLite result codes (https://sqlite.org/rescode.html); the low byte is the primary code. */
import type { Named } from '../classify';
import { property, textProperty } from './driver-text';
import { named, type Event } from './kinds';

const IOERR = 10;
const PRIMARY: Readonly<Record<number, Event>> = {
  3: 'denied', // PERM
  5: 'busy',
  6: 'busy', // LOCKED
  7: 'full', // NOMEM
  8: 'readOnly',
  9: 'cancelled', // INTERRUPT
  [IOERR]: 'full',
  11: 'corrupt',
  13: 'full',
  14: 'noDatabase', // CANTOPEN
  18: 'value', // TOOBIG
  19: 'constraint',
  20: 'value', // MISMATCH
  23: 'denied', // AUTH
  25: 'syntax', // RANGE: a placeholder without a value
  26: 'corrupt', // NOTADB
};

export function sqliteFailure(error: unknown): Named | undefined {
  if (textProperty(error, 'name') !== 'SqliteError') return undefined;
  const code = textProperty(error, 'code');
  const errcode = Number(property(error, 'errcode'));
  const message = textProperty(error, 'message');
  if (code === 'ERR_UNKNOWN_BUILTIN_MODULE') return tooOld();
  if (code === 'SQLITE_THREAD_ENDED') return named('lost', 'SQLite', message);
  const event = PRIMARY[errcode & 0xff] ?? (errcode === 1 ? plainError(message) : undefined);
  if (event) {
    const result = named(event, 'SQLite', message, { sqliteCode: errcode });
    // Every request is a transaction that an error rolls back; only a failing disk leaves a doubt.
    return (errcode & 0xff) === IOERR ? result : { ...result, reached: false };
  }
  // node:sqlite itself refused a value or a statement before SQLite saw it.
  return code.startsWith('ERR_INVALID') || code.startsWith('ERR_OUT')
    ? named('value', 'SQLite', message)
    : undefined;
}

/** SQLITE_ERROR covers everything from a typing error to a missing table; only its text tells. */
function plainError(message: string): Event {
  if (message.startsWith('no such table')) return 'noTable';
  if (/^no such column|has no column named/.test(message)) return 'noColumn';
  return 'syntax';
}

function tooOld(): Named {
  return {
    kind: 'config',
    code: 'MISSING_LIBRARY',
    message:
      `SQLite needs Node.js 22.13 or newer; this is ${process.versions.node}. Update Node.js, or choose another ` +
      'database for this connection.',
    reached: false,
  };
}
