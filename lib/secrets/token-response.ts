import { Failure, type FailureKind } from '../core';
import type { TokenResponse } from './token-http';

export interface TokenSet {
  readonly accessToken: string;
  /** Lifetime in milliseconds; undefined when the server does not tell. */
  readonly lifetimeMs: number | undefined;
  /** Given when the server replaces the refresh token. */
  readonly refreshToken: string | undefined;
}

export interface ResponseContext {
  /** The endpoint as it may be shown. */
  readonly endpoint: string;
  readonly redact: (text: string) => string;
  /** Wall clock in milliseconds, for a Retry-After that is a date. */
  readonly now: number;
}

const LONGEST_TOKEN = 32_768;
const LONGEST_WAIT_MS = 86_400_000;
const VISIBLE = /^[\x21-\x7e]+$/;
const PASSING = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

/** Reads a token endpoint's answer (RFC 6749 sections 5.1 and 5.2). Throws a Failure with `reached: false`. */
export function readTokenResponse(response: TokenResponse, context: ResponseContext): TokenSet {
  const { status } = response;
  if (status >= 300 && status < 400) throw redirected(status, context.endpoint);
  const body = parseObject(response.body);
  if (status !== 200) throw refused(response, body, context);
  if (!body)
    throw tokenFailure('transient', `${server(context)} answered with something that is not JSON`, {
      status,
    });
  return readTokens(body, context);
}

function readTokens(body: Readonly<Record<string, unknown>>, context: ResponseContext): TokenSet {
  const { access_token: token, token_type: type, refresh_token: refresh } = body;
  if (typeof token !== 'string' || token.length > LONGEST_TOKEN || !VISIBLE.test(token)) {
    throw tokenFailure('transient', `${server(context)} answered without a usable access_token`);
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw tokenFailure('auth', `${server(context)} issued a token that is not of type Bearer`);
  }
  const seconds = secondsOf(body.expires_in);
  const rotated = typeof refresh === 'string' && refresh !== '' && refresh.length <= LONGEST_TOKEN;
  return {
    accessToken: token,
    lifetimeMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined,
    refreshToken: rotated ? refresh : undefined,
  };
}

/** A number, which some servers send as text; NaN for anything else. */
function secondsOf(value: unknown): number {
  return typeof value === 'number' || (typeof value === 'string' && /\d/.test(value)) ? Number(value) : NaN;
}

function refused(
  response: TokenResponse,
  body: Readonly<Record<string, unknown>> | undefined,
  context: ResponseContext,
): Failure {
  const { status } = response;
  const error = shown(body?.error, 60, context);
  const description = shown(body?.error_description, 200, context);
  const details = { status, ...(error && { error }), ...(description && { description }) };
  const quoted = error ? ` (${error}${description ? `: ${description}` : ''})` : '';
  if (status === 429) {
    const retryAfterMs = retryAfter(response.headers['retry-after'], context.now);
    return tokenFailure('throttled', `${server(context)} asks to slow down`, details, retryAfterMs);
  }
  if (status >= 500 || status === 408 || PASSING.has(error)) {
    const retryAfterMs = retryAfter(response.headers['retry-after'], context.now);
    return tokenFailure(
      'transient',
      `${server(context)} answered with status ${status}${quoted}`,
      details,
      retryAfterMs,
    );
  }
  if (error || status === 401 || status === 403) {
    const message = `${server(context)} refused the credentials with status ${status}${quoted}. ${advice(error)}`;
    return new Failure('auth', 'AUTH_FAILED', message, { reached: false, details });
  }
  return tokenFailure(
    'config',
    `${server(context)} answered with status ${status}; check "Token URL"`,
    details,
  );
}

function advice(error: string): string {
  if (error === 'invalid_grant')
    return 'The grant has expired or was revoked: enter a new refresh token or key.';
  if (error === 'invalid_scope') return 'Check "Scope".';
  if (error === 'invalid_client') return 'Check "Client ID", "Client secret" and "Client authentication".';
  return 'Check the OAuth settings of the connection.';
}

function redirected(status: number, endpoint: string): Failure {
  const message =
    `The token endpoint ${endpoint} redirects (status ${status}). Holdfast does not follow, because the client ` +
    'secret could end at another server; enter the final address as "Token URL".';
  return new Failure('config', 'AUTH_UNAVAILABLE', message, { reached: false, details: { status } });
}

/** `reached: false`: without a token the protected call is not sent. */
export function tokenFailure(
  kind: FailureKind,
  sentence: string,
  details: Readonly<Record<string, unknown>> = {},
  retryAfterMs?: number,
): Failure {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new Failure(kind, 'AUTH_UNAVAILABLE', `${sentence}.`, { reached: false, details, ...wait });
}

const server = (context: ResponseContext): string => `The token endpoint ${context.endpoint}`;

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** A text of the server that is fit for a log line: bounded, printable, without secrets. */
function shown(value: unknown, longest: number, context: ResponseContext): string {
  if (typeof value !== 'string') return '';
  // Redacted before it is cut, so that no half of a secret is left.
  return context
    .redact(value.slice(0, LONGEST_TOKEN))
    .replace(/[^\x20-\x7e•]/g, ' ')
    .slice(0, longest)
    .trim();
}

/** RFC 9110 section 10.2.3: seconds or a date; a day at most. */
function retryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]{2}/.test(text)
      ? Date.parse(text) - now
      : NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_WAIT_MS);
}
