/** Names the errors of the NATS client, of JetStream, of sockets and of TLS. */
import { Failure, isFailure, toFailure, type CommonCode, type FailureKind } from '../../core';

type Name = readonly [FailureKind, CommonCode, reached: boolean, sentence: string];

const REFUSED: Name = [
  'disconnected',
  'CONNECTION_REFUSED',
  false,
  'Nothing listens at the address of the NATS server. Check host, port and firewall, and that it is running.',
];
const NOT_FOUND: Name = [
  'disconnected',
  'HOST_NOT_FOUND',
  false,
  'The host name of the NATS server cannot be resolved. Check the name and the DNS of this machine.',
];
const UNREACHABLE: Name = [
  'disconnected',
  'CONNECTION_TIMEOUT',
  false,
  'The NATS server did not answer the connection attempt in time. Check host, port and firewall.',
];
const LOST: Name = [
  'disconnected',
  'CONNECTION_LOST',
  true,
  'The connection to the NATS server ended. Check the server and the network between.',
];
const LATE: Name = [
  'transient',
  'QUEUE_UNAVAILABLE',
  true,
  'The NATS server did not confirm in time. Check its load, its disk, and that its cluster has a leader.',
];
const NO_STREAM: Name = [
  'transient',
  'QUEUE_UNAVAILABLE',
  false,
  'The NATS server has no stream for this queue, or JetStream is off. Check that JetStream is on and that nobody removed the stream.',
];
const LOGIN: Name = [
  'auth',
  'AUTH_FAILED',
  false,
  'The NATS server refused the login. Check user, password, token or credentials, and their rights.',
];

const TLS_MISSING: Name = [
  'config',
  'TLS_FAILED',
  false,
  'The NATS server does not offer TLS as this node asks for. Check the port and the TLS setting on both sides.',
];
const TLS_DEMANDED: Name = [
  'config',
  'TLS_FAILED',
  false,
  'The NATS server demands TLS, and this node does not use it. Switch TLS on in the connection.',
];

const BY_CODE: Readonly<Record<string, Name>> = {
  ECONNREFUSED: REFUSED,
  ENOTFOUND: NOT_FOUND,
  EAI_AGAIN: NOT_FOUND,
  ETIMEDOUT: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ECONNRESET: LOST,
  EPIPE: LOST,
  ERR_STREAM_DESTROYED: LOST,
};

const BY_NAME: Readonly<Record<string, Name>> = {
  AuthorizationError: LOGIN,
  UserAuthenticationExpiredError: LOGIN,
  ClosedConnectionError: LOST,
  DrainingConnectionError: LOST,
  ConnectionError: LOST,
  TimeoutError: LATE,
  NoRespondersError: NO_STREAM,
  JetStreamNotEnabled: NO_STREAM,
  StreamNotFoundError: NO_STREAM,
  ConsumerNotFoundError: NO_STREAM,
};

const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO|INVALID_CA|INVALID_PURPOSE)/;

/** Any error of a NATS client as a Failure; what it does not know becomes `unclassified`. */
export function classifyNats(error: unknown): Failure {
  if (isFailure(error)) return error;
  if (!(error instanceof Error)) return toFailure(error);
  const cause = error.cause instanceof Error ? error.cause : undefined;
  return (
    missingLibrary(error) ??
    byCode(error) ??
    (cause && byCode(cause)) ??
    byWords(error, cause) ??
    byApi(error) ??
    byName(error) ??
    severalAddresses(error) ??
    toFailure(error)
  );
}

function make([kind, code, reached, sentence]: Name, error: Error): Failure {
  return new Failure(kind, code, sentence, { reached, cause: error });
}

function byCode(error: Error): Failure | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = BY_CODE[code];
  if (known) return make(known, error);
  if (!TLS.test(code)) return undefined;
  const sentence = `The TLS handshake with the NATS server failed: ${excerpt(error.message)}. Check the authority, the host name and the TLS version.`;
  return make(['config', 'TLS_FAILED', false, sentence], error);
}

/** The client names some different things alike; only their words tell them apart. */
function byWords(error: Error, cause: Error | undefined): Failure | undefined {
  const words = `${error.message} ${cause?.message ?? ''}`;
  if (/authorization violation|authentication|user credentials/i.test(words)) return make(LOGIN, error);
  if (/permissions violation/i.test(words)) {
    const sentence = `The NATS server does not allow this user what Holdfast needs: ${excerpt(error.message)}. Check the user's permissions.`;
    return make(['auth', 'AUTH_FAILED', false, sentence], error);
  }
  // Without TLS settings the client stumbles over their absence when the server insists on TLS.
  if (words.includes("'this.options.tls'")) return make(TLS_DEMANDED, error);
  if (words.includes("'tls'")) return make(TLS_MISSING, error);
  if (error.name === 'ConnectionError' && words.includes('refused')) return make(REFUSED, error);
  if (error.name === 'RequestError') return make(words.includes('no responders') ? NO_STREAM : LOST, error);
  if (error.name === 'InvalidArgumentError') {
    const sentence = `The NATS client refuses a setting: ${excerpt(error.message)}. Check the connection's settings.`;
    return make(['config', 'BAD_CONFIG', false, sentence], error);
  }
  if (error.name === 'ProtocolError' || error instanceof SyntaxError || /unexpected response/.test(words)) {
    const sentence = 'What listens at the address does not speak the NATS protocol. Check host and port.';
    return make(['disconnected', 'BAD_RESPONSE', true, sentence], error);
  }
  return undefined;
}

/** JetStream's own refusals: `status` is like an HTTP status. */
function byApi(error: Error): Failure | undefined {
  if (!/^JetStream(Api|Status)?Error$/.test(error.name)) return undefined;
  const status = 'status' in error ? Number(error.status) : 0;
  const said = excerpt(error.message);
  if (status >= 500) {
    const sentence = `JetStream cannot work now: ${said}. Check the server's disk, its JetStream limits and its cluster.`;
    return make(['transient', 'QUEUE_UNAVAILABLE', false, sentence], error);
  }
  const sentence = `JetStream refused the request: ${said}. Check the stream, and the account's limits and rights.`;
  return make(['rejected', 'PEER_REJECTED', false, sentence], error);
}

function byName(error: Error): Failure | undefined {
  const known = BY_NAME[error.name];
  return known ? make(known, error) : undefined;
}

/** Several addresses of one name failed together. */
function severalAddresses(error: Error): Failure | undefined {
  if (!(error instanceof AggregateError) || error.errors.length === 0) return undefined;
  return classifyNats(error.errors[0]);
}

function missingLibrary(error: Error): Failure | undefined {
  const code = 'code' in error ? error.code : '';
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const library =
    /Cannot find (?:module|package) '([^']+)'/.exec(error.message)?.[1] ?? '@nats-io/transport-node';
  return new Failure(
    'config',
    'MISSING_LIBRARY',
    `The library "${library}" is not installed. Run "npm install @nats-io/transport-node @nats-io/jetstream @nats-io/kv" in Node-RED's user directory and restart Node-RED.`,
    { reached: false, details: { library }, cause: error },
  );
}

/** A bounded, one-line piece of what the server said. */
function excerpt(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 160).replace(/\.$/, '');
}
