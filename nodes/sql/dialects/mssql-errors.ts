/** Error numbers of SQL Server (sys.messages) and codes of its driver. */
import type { Named } from '../classify';
import { property, textProperty } from './driver-text';
import { named, type Event } from './kinds';

const NUMBERS: Readonly<Record<number, Event>> = {
  207: 'noColumn',
  208: 'noTable',
  229: 'denied',
  230: 'denied',
  262: 'denied',
  297: 'denied',
  515: 'constraint',
  547: 'constraint',
  2601: 'constraint',
  2627: 'constraint',
  8672: 'constraint', // one key twice in a MERGE
  220: 'value',
  241: 'value',
  242: 'value',
  245: 'value',
  248: 'value',
  2628: 'value',
  8114: 'value',
  8115: 'value',
  8152: 'value',
  1205: 'conflict',
  3960: 'conflict',
  1222: 'busy',
  3906: 'readOnly',
  1101: 'full',
  1105: 'full',
  9002: 'full',
  701: 'full',
  823: 'full',
  824: 'corrupt',
  4060: 'noDatabase',
  18452: 'auth',
  18456: 'auth',
  10928: 'busy',
  10929: 'busy',
  40197: 'busy',
  40501: 'busy',
  40613: 'busy',
};
const CODES: Readonly<Record<string, Event>> = {
  ELOGIN: 'auth',
  ESOCKET: 'lost',
  ECLOSE: 'lost',
  EINVALIDSTATE: 'lost',
  ECANCEL: 'cancelled',
  ETIMEOUT: 'cancelled',
};

export function mssqlFailure(error: unknown): Named | undefined {
  const name = textProperty(error, 'name');
  if (name !== 'RequestError' && name !== 'ConnectionError') return undefined;
  const number = property(error, 'number');
  const code = textProperty(error, 'code');
  const message = textProperty(error, 'message');
  if (typeof number === 'number' && number > 0) {
    return named(NUMBERS[number] ?? 'syntax', 'SQL Server', message, { mssqlCode: number });
  }
  if (name === 'ConnectionError' && code === 'ETIMEOUT') {
    return {
      ...named('lost', 'SQL Server', 'it did not answer in time'),
      code: 'CONNECTION_TIMEOUT',
      reached: false,
    };
  }
  // The driver's text names host and port only.
  const event = CODES[code];
  return event ? named(event, 'SQL Server', message) : undefined;
}
