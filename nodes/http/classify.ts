/** Names the errors of axios, Node's sockets, TLS and the HTTP parser. */
import { Failure, isFailure, type CommonCode, type FailureKind } from '../../lib/core';

type Name = readonly [FailureKind, CommonCode, reached: boolean, sentence: string];

const NETWORK: Readonly<Record<string, Name>> = {
  ECONNREFUSED: [
    'disconnected',
    'CONNECTION_REFUSED',
    false,
    'refuses the connection. Check address and port, and that the server runs.',
  ],
  ENOTFOUND: [
    'disconnected',
    'HOST_NOT_FOUND',
    false,
    'cannot be found. Check the host name and the DNS server.',
  ],
  EAI_AGAIN: ['disconnected', 'HOST_NOT_FOUND', false, 'cannot be found: the DNS server does not answer.'],
  EHOSTUNREACH: [
    'disconnected',
    'CONNECTION_REFUSED',
    false,
    'cannot be reached. Check cable, route and firewall.',
  ],
  ENETUNREACH: [
    'disconnected',
    'CONNECTION_REFUSED',
    false,
    'cannot be reached: there is no route to its network.',
  ],
  EHOSTDOWN: ['disconnected', 'CONNECTION_REFUSED', false, 'cannot be reached: the host is down.'],
  EADDRNOTAVAIL: ['transient', 'CONNECTION_REFUSED', false, 'cannot be reached: no local port is free.'],
  EMFILE: [
    'transient',
    'CONNECTION_REFUSED',
    false,
    'cannot be reached: this computer has no free file handle.',
  ],
  ECONNRESET: ['transient', 'CONNECTION_LOST', true, 'ended the connection before the answer was complete.'],
  ECONNABORTED: [
    'transient',
    'CONNECTION_LOST',
    true,
    'ended the connection before the answer was complete.',
  ],
  EPIPE: ['transient', 'CONNECTION_LOST', true, 'ended the connection while the request was being sent.'],
  ERR_STREAM_PREMATURE_CLOSE: [
    'transient',
    'CONNECTION_LOST',
    true,
    'ended the connection within its answer.',
  ],
  ETIMEDOUT: ['transient', 'CONNECTION_LOST', true, 'stopped answering.'],
  EPROTO: ['config', 'TLS_FAILED', true, 'does not agree on TLS. Check port, TLS version and certificates.'],
  ERR_CANCELED: ['cancelled', 'CANCELLED', true, 'was not waited for: the call was cancelled.'],
};

const TLS: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID:
    'shows the certificate of another host. Check the address, or the "Server name".',
  CERT_HAS_EXPIRED: 'shows an expired certificate. Renew it on the server.',
  CERT_NOT_YET_VALID: 'shows a certificate that is not valid yet. Check the clock of this computer.',
  CERT_REVOKED: 'shows a revoked certificate.',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'shows a self-signed certificate. Enter it under "CA certificates" to trust it.',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate of an unknown authority. Enter it under "CA certificates".',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'has a certificate of an unknown authority. Enter it under "CA certificates".',
  UNABLE_TO_GET_ISSUER_CERT: 'has a certificate of an unknown authority. Enter it under "CA certificates".',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'has a certificate of an unknown authority. Enter it under "CA certificates".',
};
const OTHER_TLS =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|INVALID_CA$|INVALID_PURPOSE$|HOSTNAME_MISMATCH$)/;

interface Facts {
  readonly code: string;
  readonly message: string;
  readonly syscall: string;
  readonly peer: string;
}

/**
 * The Failure of a library error. The error itself is not kept as its cause: axios hangs the whole request on it,
 * with every credential.
 */
export function classify(error: unknown, origin = ''): Failure {
  if (isFailure(error)) return error;
  const { cause } = record(error);
  if (isFailure(cause)) return cause;
  const facts = factsOf(error, origin);
  const { code, message, syscall, peer } = facts;
  if (message.includes('before secure TLS connection')) {
    return fail(
      ['disconnected', 'CONNECTION_LOST', false, 'ended the connection during the TLS handshake.'],
      facts,
    );
  }
  if (code === 'ETIMEDOUT' && syscall === 'connect') {
    const sentence = 'does not answer the connection attempt. Check address, cable and firewall.';
    return fail(['disconnected', 'CONNECTION_TIMEOUT', false, sentence], facts);
  }
  const network = Object.hasOwn(NETWORK, code) ? NETWORK[code] : undefined;
  if (network) return fail(network, facts);
  const tls = Object.hasOwn(TLS, code) ? TLS[code] : undefined;
  if (tls) return fail(['config', 'TLS_FAILED', false, tls], facts);
  if (OTHER_TLS.test(code))
    return fail(['config', 'TLS_FAILED', true, `fails in TLS: ${firstLine(message)}.`], facts);
  if (code.startsWith('HPE_'))
    return fail(['transient', 'BAD_RESPONSE', true, 'answers with something that is not HTTP.'], facts);
  if (message.includes('aborted') || message.includes('socket hang up')) {
    return fail(
      ['transient', 'CONNECTION_LOST', true, 'ended the connection before the answer was complete.'],
      facts,
    );
  }
  const text = `An unknown error from ${peer}: ${code} ${firstLine(message)}`;
  return new Failure('unclassified', 'UNCLASSIFIED', text, { details: { code, peer } });
}

function fail([kind, code, reached, sentence]: Name, facts: Facts): Failure {
  const { peer, code: reason } = facts;
  return new Failure(kind, code, `${peer} ${sentence}`, { reached, details: { peer, reason } });
}

/** The same failure of a call that has already acted, where a repeat would act twice: so also not `throttled`. */
export function afterActing(error: unknown): Failure {
  const { kind, code, message, details, retryAfterMs, stack } = classify(error);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  const failure = new Failure(kind === 'throttled' ? 'transient' : kind, code, message, {
    reached: true,
    details,
    ...wait,
  });
  if (stack !== undefined) failure.stack = stack;
  return failure;
}

/** Reads only plain facts: code, message, system call, and the origin that the session put into the request. */
function factsOf(error: unknown, origin: string): Facts {
  const outer = record(error);
  const inner = record(outer['cause']);
  const config = record(outer['config']);
  const pick = (name: string): string => textOf(inner[name]) || textOf(outer[name]);
  const place = pick('hostname') || pick('host') || pick('address');
  const port = inner['port'] ?? outer['port'];
  const address = place && typeof port === 'number' ? `${place}:${port}` : place;
  return {
    code: pick('code'),
    message: textOf(outer['message']) || pick('message'),
    syscall: pick('syscall'),
    peer: textOf(config['baseURL']) || origin || address || 'The server',
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').slice(0, 200).replace(/\.$/, '');

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
