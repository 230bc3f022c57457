/** SQLSTATE classes of PostgreSQL (manual, appendix A). */
import type { Named } from '../classify';
import { textProperty } from './driver-text';
import { named, type Event } from './kinds';

const STATES: Readonly<Record<string, Event>> = {
  '42P01': 'noTable',
  '42703': 'noColumn',
  '42501': 'denied',
  '25006': 'readOnly',
  '3D000': 'noDatabase',
  '57P01': 'lost', // admin_shutdown
  '57P02': 'lost', // crash_shutdown
  '57P03': 'busy', // cannot_connect_now
  '57014': 'cancelled',
  '53100': 'full', // disk_full
  '53200': 'full', // out_of_memory
  '55P03': 'busy', // lock_not_available
  '21000': 'constraint', // one key twice in an upsert
  '42P10': 'constraint', // no unique constraint for ON CONFLICT
};
const CLASSES: Readonly<Record<string, Event>> = {
  '08': 'lost',
  '22': 'value',
  '23': 'constraint',
  '28': 'auth',
  '40': 'conflict',
  '42': 'syntax',
  '53': 'busy',
  '57': 'busy',
  '58': 'full',
};

export function postgresFailure(error: unknown): Named | undefined {
  const state = textProperty(error, 'code');
  if (/^[0-9A-Z]{5}$/.test(state) && textProperty(error, 'severity') !== '') {
    const event = STATES[state] ?? CLASSES[state.slice(0, 2)] ?? 'syntax';
    const constraint = textProperty(error, 'constraint');
    const details = { sqlState: state, ...(constraint ? { constraint } : {}) };
    const result = named(event, 'PostgreSQL', textProperty(error, 'message'), details);
    // An ERROR undid its statement and its transaction; after a FATAL the end of a commit is unknown.
    return textProperty(error, 'severity') === 'ERROR' ? { ...result, reached: false } : result;
  }
  return clientFailure(textProperty(error, 'message'));
}

/** pg's own errors carry no code. */
function clientFailure(message: string): Named | undefined {
  if (
    /^Connection terminated|^Client has encountered a connection error|was closed and is not queryable/.test(
      message,
    )
  ) {
    return named('lost', 'PostgreSQL', message);
  }
  if (message === 'timeout expired') {
    return {
      ...named('lost', 'PostgreSQL', 'it did not answer in time'),
      code: 'CONNECTION_TIMEOUT',
      reached: false,
    };
  }
  if (/^The server does not support SSL/.test(message)) return noTls('PostgreSQL');
  if (/SASL|client password must be a string|password authentication/.test(message))
    return named('auth', 'PostgreSQL', '');
  return undefined;
}

export function noTls(label: string): Named {
  return {
    kind: 'config',
    code: 'TLS_FAILED',
    message: `${label} does not offer TLS. Switch it on there, or switch off "Encrypt the connection" on a trusted network.`,
    reached: false,
  };
}
