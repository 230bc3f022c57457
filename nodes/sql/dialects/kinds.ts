/** The failures that every database has, so that the same event reads the same everywhere. */
import type { Named } from '../classify';
import { driverText } from './driver-text';

export type Event =
  | 'constraint'
  | 'value'
  | 'syntax'
  | 'noTable'
  | 'noColumn'
  | 'readOnly'
  | 'denied'
  | 'conflict'
  | 'busy'
  | 'full'
  | 'corrupt'
  | 'auth'
  | 'lost'
  | 'noDatabase'
  | 'cancelled';

type Template = Pick<Named, 'kind' | 'code'> & { say(label: string, why: string): string };

const EVENTS: Readonly<Record<Event, Template>> = {
  constraint: {
    kind: 'rejected',
    code: 'SQL_CONSTRAINT',
    say: (db, why) => `${db} refused the row: ${why}.`,
  },
  value: { kind: 'rejected', code: 'SQL_VALUE', say: (db, why) => `${db} refused a value: ${why}.` },
  syntax: {
    kind: 'rejected',
    code: 'SQL_SYNTAX',
    say: (db, why) => `${db} does not understand the statement: ${why}.`,
  },
  noTable: {
    kind: 'rejected',
    code: 'SQL_NO_TABLE',
    say: (db, why) =>
      `${db} does not know the table: ${why}. Check its name and schema, or switch on table creation.`,
  },
  noColumn: {
    kind: 'rejected',
    code: 'SQL_UNKNOWN_COLUMN',
    say: (db, why) => `${db} does not know a column: ${why}.`,
  },
  readOnly: {
    kind: 'rejected',
    code: 'SQL_READ_ONLY',
    say: (db, why) =>
      `${db} refused to write: ${why}. Choose "May write" if the statement is meant to change data.`,
  },
  denied: {
    kind: 'rejected',
    code: 'SQL_DENIED',
    say: (db, why) => `${db} does not permit the statement: ${why}. Check the rights of the login.`,
  },
  conflict: {
    kind: 'transient',
    code: 'SQL_CONFLICT',
    say: (db, why) => `${db} ended the transaction because another one stood in its way: ${why}.`,
  },
  busy: { kind: 'transient', code: 'SQL_BUSY', say: (db, why) => `${db} is busy or not ready: ${why}.` },
  full: {
    kind: 'transient',
    code: 'SQL_FULL',
    say: (db, why) => `${db} cannot store more: ${why}. Check the free space and the disk of the server.`,
  },
  corrupt: {
    kind: 'config',
    code: 'SQL_CORRUPT',
    say: (db, why) =>
      `${db} cannot read its file: ${why}. Check that the file is a database, or restore a copy.`,
  },
  auth: {
    kind: 'auth',
    code: 'AUTH_FAILED',
    say: (db) =>
      `${db} refused the login. Check the user name, the password and from where the user may connect.`,
  },
  lost: {
    kind: 'disconnected',
    code: 'CONNECTION_LOST',
    say: (db, why) => `The connection to ${db} ended: ${why}.`,
  },
  noDatabase: {
    kind: 'config',
    code: 'BAD_CONFIG',
    say: (db, why) => `${db} does not offer the configured database: ${why}. Check the database name.`,
  },
  cancelled: {
    kind: 'transient',
    code: 'SQL_BUSY',
    say: (db, why) => `${db} cancelled the statement: ${why}.`,
  },
};
/** Events after which it is certain that the statement changed nothing. */
const NOTHING_DONE = new Set<Event>([
  'constraint',
  'value',
  'syntax',
  'noTable',
  'noColumn',
  'readOnly',
  'denied',
  'conflict',
  'auth',
  'noDatabase',
  'busy',
]);

export function named(event: Event, label: string, why: unknown, details?: Named['details']): Named {
  const { kind, code, say } = EVENTS[event];
  return {
    kind,
    code,
    message: say(label, driverText(why)),
    ...(details ? { details } : {}),
    ...(NOTHING_DONE.has(event) ? { reached: false } : {}),
  };
}
