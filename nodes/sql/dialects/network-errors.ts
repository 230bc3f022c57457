/** Errors of sockets and TLS, as Node names them; every driver passes them on. */
import type { Named } from '../classify';
import { driverText, property, textProperty } from './driver-text';

type Entry = Pick<Named, 'kind' | 'code' | 'message'> & { readonly reached?: boolean };

const REFUSED: Entry = {
  kind: 'disconnected',
  code: 'CONNECTION_REFUSED',
  message:
    'Nothing listens at the address of the database. Check host, port and firewall, and that it is running.',
  reached: false,
};
const NOT_FOUND: Entry = {
  kind: 'disconnected',
  code: 'HOST_NOT_FOUND',
  message: 'The host name of the database cannot be resolved. Check the name and the DNS of this machine.',
  reached: false,
};
const TIMEOUT: Entry = {
  kind: 'disconnected',
  code: 'CONNECTION_TIMEOUT',
  message: 'The database did not answer the connection attempt in time. Check host, port and firewall.',
  reached: false,
};
const LOST: Entry = {
  kind: 'disconnected',
  code: 'CONNECTION_LOST',
  message: 'The connection to the database ended. Check the server and the network between.',
};
const ENTRIES: Readonly<Record<string, Entry>> = {
  ECONNREFUSED: REFUSED,
  ENOTFOUND: NOT_FOUND,
  EAI_AGAIN: NOT_FOUND,
  ETIMEDOUT: TIMEOUT,
  EHOSTUNREACH: TIMEOUT,
  ENETUNREACH: TIMEOUT,
  ECONNRESET: LOST,
  EPIPE: LOST,
  ERR_STREAM_DESTROYED: LOST,
};
const TLS = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|EPROTO)/;

export function networkFailure(error: unknown): Named | undefined {
  const code = textProperty(error, 'code');
  const entry = ENTRIES[code];
  if (entry) return entry;
  if (TLS.test(code)) {
    const message = `The TLS handshake with the database failed: ${driverText(property(error, 'message'))}. Check the authority, the host name and the minimum version.`;
    return { kind: 'config', code: 'TLS_FAILED', message, reached: false };
  }
  // Several addresses of one name failed together.
  const errors = property(error, 'errors');
  return Array.isArray(errors) && errors.length > 0 ? networkFailure(errors[0]) : undefined;
}
