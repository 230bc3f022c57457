/**
 * The one error type of Holdfast. A component states what happened (kind, code, whether the peer may have
 * acted); the framework decides what to do about it.
 */

export const FAILURE_KINDS = [
  'transient',
  'disconnected',
  'throttled',
  'rejected',
  'auth',
  'config',
  'cancelled',
  'unclassified',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Codes every component shares. A connector documents its own under `codes` of its declaration. */
export const CODES = {
  CONNECTION_REFUSED: 'Nothing listens at the configured address, or a firewall refuses it.',
  CONNECTION_TIMEOUT: 'The device or server did not answer the connection attempt in time.',
  CONNECTION_LOST: 'An open connection ended while it was needed.',
  NOT_CONNECTED: 'There is no open session; Holdfast is reopening it.',
  HOST_NOT_FOUND: 'The host name cannot be resolved.',
  TLS_FAILED: 'The TLS handshake failed: certificate, host name or protocol version.',
  CALL_TIMEOUT: 'The call took longer than its timeout and its effect allows a repeat.',
  OUTCOME_UNKNOWN: 'The call may have taken effect, but no answer came; it is not repeated.',
  CIRCUIT_OPEN: 'The circuit breaker is open after repeated failures; the call was not sent.',
  RATE_LIMITED: 'The configured rate limit is used up; the call was not sent.',
  BULKHEAD_FULL: 'Too many calls are running and waiting; the call was not sent.',
  THROTTLED: 'The peer asked to slow down.',
  PEER_ERROR: 'The peer reported a passing error.',
  PEER_REJECTED: 'The peer refused the request; repeating it would not help.',
  BAD_RESPONSE: 'The peer answered with something that its protocol does not allow.',
  RESPONSE_TOO_LARGE: 'The answer is larger than the configured limit.',
  RESULT_ABANDONED: 'Nobody asked in time for the next part of a result that comes in parts; it was closed.',
  BAD_MESSAGE: 'The message does not hold what the node needs.',
  BAD_CONFIG: 'A setting of the node is missing or wrong.',
  MISSING_LIBRARY: 'An optional client library is not installed.',
  AUTH_FAILED: 'The peer refused the credentials.',
  AUTH_UNAVAILABLE: 'Credentials could not be obtained: token endpoint, file or environment variable.',
  QUEUE_FULL: 'The queue holds as much as its limits allow; the message was not stored.',
  QUEUE_UNAVAILABLE:
    'The store of the queue cannot be used now (disk, file or broker); the message was not stored.',
  QUEUE_LOCKED: 'Another process uses the file of the store; only one may.',
  NOT_STORABLE: 'The message holds something that cannot be stored and brought back exactly.',
  LEASE_LOST: 'The message was no longer leased: its visibility timeout ran out, or it was settled already.',
  DELIVERIES_EXHAUSTED: 'The message was delivered as often as its queue allows, without being acknowledged.',
  EXPIRED: 'The message waited longer than its queue allows.',
  CANCELLED: 'The node was stopped or redeployed while the call was running.',
  UNCLASSIFIED: 'An error that Holdfast does not know yet; please report it.',
} as const;
export type CommonCode = keyof typeof CODES;

const BRAND = Symbol.for('holdfast.failure');

export interface FailureOptions {
  /** Facts for the engineer and for `msg.failure`. Plain JSON values; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** False when it is certain that the peer did not act on the request. Default: true (it may have). */
  readonly reached?: boolean;
  /** How long the peer asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Only part of the peer is concerned (one unit behind a gateway): it says nothing about the connection. */
  readonly partial?: boolean;
  readonly cause?: unknown;
}

/** What stands in `msg.failure`. */
export interface FailureRecord {
  kind: FailureKind;
  code: string;
  message: string;
  details: Readonly<Record<string, unknown>>;
  retryable: boolean;
}

/** Branded, so that two loaded copies of this module recognise each other's failures. */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly reached: boolean;
  readonly retryAfterMs: number | undefined;
  readonly partial: boolean;
  readonly [BRAND] = true;

  constructor(kind: FailureKind, code: string, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.code = code;
    this.details = options.details ?? {};
    this.reached = options.reached ?? true;
    this.retryAfterMs = options.retryAfterMs;
    this.partial = options.partial ?? false;
  }

  /** Whether this kind of failure may pass by itself. The effect of the call has the last word. */
  get retryable(): boolean {
    return isRetryableKind(this.kind) && this.code !== 'OUTCOME_UNKNOWN';
  }

  toRecord(): FailureRecord {
    const { kind, code, message, details, retryable } = this;
    return { kind, code, message, details, retryable };
  }
}

export function isRetryableKind(kind: FailureKind): boolean {
  return kind === 'transient' || kind === 'disconnected' || kind === 'throttled';
}

export function isFailure(error: unknown): error is Failure {
  return typeof error === 'object' && error !== null && BRAND in error;
}

/** Wraps anything thrown. Known failures pass unchanged; the rest becomes `unclassified` and keeps its stack. */
export function toFailure(error: unknown): Failure {
  if (isFailure(error)) return error;
  const message = error instanceof Error ? error.message : asText(error);
  return new Failure('unclassified', 'UNCLASSIFIED', message || 'An error without a message.', {
    cause: error,
  });
}

/** Anything as text; `String` throws on objects without a usable `toString`. */
export function asText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
