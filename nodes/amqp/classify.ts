/** Names for everything that can go wrong with a broker. */
import { Failure, isFailure, type FailureKind } from '../../lib/core';

export const codes = {
  UNROUTABLE: 'A mandatory message matched no queue, so the broker returned it.',
  NOT_DECLARED: 'The broker has no such exchange or queue.',
  ACCESS_REFUSED: 'The user may not do this with the exchange or queue.',
  BROKER_BLOCKED: 'The broker is short of memory or disk and takes no messages for now.',
} as const;

/** Why the broker closed a connection or channel. */
export interface Close {
  readonly code: number;
  readonly text: string;
}

type Name = readonly [kind: FailureKind, code: string, reached: boolean, sentence: string];

const LOST: Name = ['disconnected', 'CONNECTION_LOST', true, 'The broker ended the connection.'];
const NETWORK: Readonly<Record<string, Name>> = {
  ECONNREFUSED: [
    'disconnected',
    'CONNECTION_REFUSED',
    false,
    'The broker refuses the connection. Check host and port, and that the broker runs.',
  ],
  ENOTFOUND: ['disconnected', 'HOST_NOT_FOUND', false, 'The name of the broker is unknown. Check the host.'],
  EAI_AGAIN: ['disconnected', 'HOST_NOT_FOUND', false, 'The name server does not answer for the host.'],
  EHOSTUNREACH: [
    'disconnected',
    'CONNECTION_REFUSED',
    false,
    'The broker cannot be reached. Check cable, route and firewall.',
  ],
  ENETUNREACH: [
    'disconnected',
    'CONNECTION_REFUSED',
    false,
    'There is no route to the network of the broker.',
  ],
  EHOSTDOWN: ['disconnected', 'CONNECTION_REFUSED', false, 'The host of the broker is down.'],
  EADDRNOTAVAIL: ['disconnected', 'CONNECTION_REFUSED', false, 'No local port is free for a connection.'],
  EMFILE: ['disconnected', 'CONNECTION_REFUSED', false, 'This computer has no free file handle.'],
  ETIMEDOUT: ['disconnected', 'CONNECTION_TIMEOUT', true, 'The broker stopped answering.'],
  ECONNRESET: LOST,
  ECONNABORTED: LOST,
  EPIPE: LOST,
  ERR_STREAM_WRITE_AFTER_END: LOST,
  ERR_STREAM_DESTROYED: LOST,
  ERR_STREAM_PREMATURE_CLOSE: LOST,
  EPROTO: [
    'config',
    'TLS_FAILED',
    false,
    'The broker does not agree on TLS. Check port, "Encrypt the connection", TLS version and certificates.',
  ],
};
const TLS: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The broker shows the certificate of another host. Check the host, or the "Server name".',
  CERT_HAS_EXPIRED: 'The certificate of the broker has expired. Renew it there.',
  CERT_NOT_YET_VALID: 'The certificate of the broker is not valid yet. Check the clock of this computer.',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'The broker shows a self-signed certificate. Enter it under "CA certificates" to trust it.',
};
const UNKNOWN_AUTHORITY =
  'The certificate of the broker comes from an unknown authority. Enter it under "CA certificates".';
const OTHER_TLS = /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED|INVALID_CA$|HOSTNAME_MISMATCH$)/;
const ENDED =
  /^(?:Unexpected close|Socket closed abruptly|Heartbeat timeout|Client network socket disconnected)/;
const CHANNEL_GONE = /^(?:channel closed|Channel (?:closed|closing|ended)|Connection clos)/;

/** The Failure of a library or socket error. */
export function classify(error: unknown): Failure {
  if (isFailure(error)) return error;
  const known = closedBy(error);
  if (known) return known;
  const { code, message } = facts(error);
  const text = `The broker caused an error that Holdfast does not know: ${code} ${firstLine(message)}`;
  return new Failure('unclassified', 'UNCLASSIFIED', text, { details: { code } });
}

/** What ended or prevented a connection; undefined for an error that says nothing of that kind. */
export function closedBy(error: unknown): Failure | undefined {
  if (isFailure(error)) return error;
  const { code, message, reply } = facts(error);
  if (reply !== undefined) return refusal({ code: reply, text: quoted(message) });
  const network = Object.hasOwn(NETWORK, code) ? NETWORK[code] : undefined;
  if (network) return named(network, code);
  if (OTHER_TLS.test(code)) {
    const sentence = Object.hasOwn(TLS, code) ? TLS[code] : UNKNOWN_AUTHORITY;
    return named(['config', 'TLS_FAILED', false, sentence ?? UNKNOWN_AUTHORITY], code);
  }
  if (ENDED.test(message)) {
    const silent = message.startsWith('Heartbeat');
    return named(silent ? [LOST[0], LOST[1], true, 'The broker sends no heartbeats any more.'] : LOST, code);
  }
  if (/^SASL mechanism/.test(message)) {
    const sentence = 'The broker does not offer this kind of login. Check "Authentication".';
    return named(['auth', 'AUTH_FAILED', false, sentence], code);
  }
  if (/^No channels left/.test(message)) {
    const sentence = 'The broker allows no more channels on one connection. Use a second connection node.';
    return named(['transient', 'PEER_ERROR', false, sentence], code);
  }
  if (CHANNEL_GONE.test(message)) return named(LOST, code);
  return undefined;
}

/** The peer broke the protocol: nothing that follows can be trusted, and the session ends. */
export function protocolFailure(error: unknown): Failure {
  const why = firstLine(facts(error).message);
  const sentence = `The peer answers with something that is not AMQP 0-9-1 (${why}). Check host and port.`;
  return new Failure('disconnected', 'BAD_RESPONSE', sentence, { details: { reason: why } });
}

/** A connection that the broker closed, in the words of its own reason. */
export function refusal({ code, text }: Close): Failure {
  const reason = reasonOf(text);
  const make = (kind: FailureKind, name: string, what: string): Failure =>
    new Failure(kind, name, `${what}: ${reason}.`, { details: { reply: code, reason } });
  switch (code) {
    case 403:
      return make(
        'auth',
        'AUTH_FAILED',
        'The broker refuses the login. Check user, password and virtual host',
      );
    case 530:
      if (/limit|is down/.test(reason))
        return make('transient', 'PEER_ERROR', 'The broker takes no connection');
      if (/refused for user/.test(reason))
        return make('auth', 'AUTH_FAILED', 'The user may not use the virtual host');
      return make('config', 'BAD_CONFIG', 'The broker does not open the virtual host');
    case 320:
      return make('disconnected', 'CONNECTION_LOST', 'The broker closed the connection');
    case 541:
    case 506:
      return make(
        'disconnected',
        'PEER_ERROR',
        'The broker closed the connection because of an error of its own',
      );
    default:
      return make('disconnected', 'BAD_RESPONSE', `The broker closed the connection with code ${code}`);
  }
}

/** A channel that the broker closed. `what` begins the sentence: 'Exchange "plant"'. */
export function channelFailure({ code, text }: Close, what: string): Failure {
  const reason = reasonOf(text);
  const details = { reply: code, reason };
  switch (code) {
    case 404:
      return new Failure(
        'rejected',
        'NOT_DECLARED',
        `${what} does not exist on the broker: ${reason}. Check the name, or add it to the table of the connection.`,
        { reached: false, details },
      );
    case 403:
      return new Failure(
        'rejected',
        'ACCESS_REFUSED',
        `${what} may not be used: ${reason}. Check the permissions of the user.`,
        { reached: false, details },
      );
    case 405:
      return new Failure(
        'transient',
        'PEER_ERROR',
        `${what} is in use by another connection or consumer alone: ${reason}.`,
        { reached: false, details },
      );
    case 406:
    case 530:
    case 540:
      return new Failure('rejected', 'PEER_REJECTED', `${what} was refused by the broker: ${reason}.`, {
        reached: false,
        details,
      });
    default:
      return new Failure('transient', 'PEER_ERROR', `${what} met an error of the broker: ${reason}.`, {
        details,
      });
  }
}

/** The reply code and text of an error that the library made from a close; undefined for any other. */
export function closeOf(error: unknown): Close | undefined {
  const { reply, message } = facts(error);
  return reply === undefined ? undefined : { code: reply, text: quoted(message) };
}

/** The arguments of a close method. */
export function textOfClose(fields: Readonly<Record<string, unknown>> | undefined): Close {
  const { replyCode, replyText } = fields ?? {};
  return { code: Number(replyCode), text: typeof replyText === 'string' ? replyText : '' };
}

interface Facts {
  readonly code: string;
  readonly message: string;
  /** The reply code of a close, where the error is one. */
  readonly reply: number | undefined;
}

function facts(error: unknown): Facts {
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : '',
    reply: typeof code === 'number' && code >= 200 ? code : undefined,
  };
}

function named([kind, code, reached, sentence]: Name, reason: string): Failure {
  return new Failure(kind, code, sentence, { reached, details: reason === '' ? {} : { reason } });
}

/** The library puts the broker's text between quotation marks. */
const quoted = (message: string): string => /with message "(.*)"$/s.exec(message)?.[1] ?? message;

/** Without the name of the code in front and bounded: it ends in sentences. */
function reasonOf(text: string): string {
  return firstLine(text.replace(/^[A-Z_]+ - /, '')) || 'no reason was given';
}
const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').slice(0, 300).replace(/\.$/, '');
