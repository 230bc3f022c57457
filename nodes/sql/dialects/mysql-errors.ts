/** Error numbers of MySQL and MariaDB (MySQL 8.4 error reference; MariaDB uses the same up to 2000). */
import type { Named } from '../classify';
import { property, textProperty } from './driver-text';
import { named, type Event } from './kinds';
import { noTls } from './postgres-errors';

const NUMBERS: Readonly<Record<number, Event>> = {
  1044: 'denied',
  1045: 'auth',
  1698: 'auth',
  1251: 'auth',
  1049: 'noDatabase',
  1040: 'busy', // too many connections
  1203: 'busy',
  1205: 'conflict', // lock wait timeout
  1213: 'conflict', // deadlock
  1020: 'conflict', // record changed
  1053: 'lost', // server shutdown
  1927: 'lost', // connection killed
  1317: 'cancelled',
  3024: 'cancelled',
  1969: 'cancelled',
  1021: 'full',
  1114: 'full',
  1030: 'full',
  1142: 'denied',
  1143: 'denied',
  1227: 'denied',
  1370: 'denied',
  1290: 'readOnly',
  1792: 'readOnly',
  1836: 'readOnly',
  1051: 'noTable',
  1146: 'noTable',
  1054: 'noColumn',
  1022: 'constraint',
  1048: 'constraint',
  1062: 'constraint',
  1169: 'constraint',
  1216: 'constraint',
  1217: 'constraint',
  1364: 'constraint', // no default value
  1451: 'constraint',
  1452: 'constraint',
  1586: 'constraint',
  3819: 'constraint', // check, MySQL
  4025: 'constraint', // check, MariaDB
  1153: 'value', // packet too large
  1264: 'value',
  1265: 'value',
  1292: 'value',
  1366: 'value',
  1406: 'value',
  1411: 'value',
  1690: 'value',
  3140: 'value',
};

export function mysqlFailure(error: unknown): Named | undefined {
  const errno = property(error, 'errno');
  const state = textProperty(error, 'sqlState');
  const code = textProperty(error, 'code');
  const message = textProperty(error, 'sqlMessage') || textProperty(error, 'message');
  if (code === 'PROTOCOL_CONNECTION_LOST' || /closed state|Connection lost|after fatal error/.test(message)) {
    return named('lost', 'MySQL', 'the server or the network closed it');
  }
  if (message.includes("can't be the same as an object's private property")) return hostileColumn();
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return noTls('MySQL');
  if (code === 'HANDSHAKE_SSL_ERROR') return tlsFailed();
  if (typeof errno !== 'number' || errno < 1000 || !code.startsWith('ER_')) return undefined;
  const event =
    NUMBERS[errno] ?? (state.startsWith('22') ? 'value' : state.startsWith('23') ? 'constraint' : 'syntax');
  return named(event, 'MySQL', message, { mysqlCode: errno, sqlState: state });
}

/** The driver refuses such results itself. */
function hostileColumn(): Named {
  const message = 'The result has a column "__proto__" or the like. Give it another name with AS.';
  return { kind: 'rejected', code: 'BAD_RESPONSE', message };
}

function tlsFailed(): Named {
  return {
    kind: 'config',
    code: 'TLS_FAILED',
    message:
      'The TLS handshake with MySQL failed. Check the authority, the host name and the minimum version.',
    reached: false,
  };
}
