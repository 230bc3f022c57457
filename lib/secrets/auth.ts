import type { Clock, Log, Random, StateStore } from '../core';
import { createOAuth } from './oauth';
import type { Redactor } from './redact';
import { badSetting, required, secretOf, textOf, type Settings } from './settings';
import { apiKeyParts, basicParts, bearerParts } from './static-auth';
import type { TokenHttp } from './token-http';
import { AUTH_KINDS, type Auth, type AuthKind, type AuthParts } from './types';

export interface AuthDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Holds a rotated refresh token; wrap it in `encryptedStore`. */
  readonly store: StateStore;
  readonly http: TokenHttp;
  readonly log: Log;
  /** Learns every secret, also the access tokens, until `close`. */
  readonly redact: Pick<Redactor, 'add' | 'remove' | 'redact'>;
}

/** Credentials that may still be busy after `close`. */
export interface ClosableAuth extends Auth {
  /**
   * Resolves when nothing runs any more. A refresh that was on its way when `close` came is finished and its
   * rotated token stored, because the old one is worthless by then. Takes at most 30 seconds and the time
   * of one save; never rejects.
   */
  settled(): Promise<void>;
}

const SECRETS = [
  'password',
  'token',
  'apiKeyValue',
  'clientSecret',
  'refreshToken',
  'jwtKey',
  'tlsKey',
  'tlsPassphrase',
] as const;

/**
 * Makes the credentials of a connection from the (parsed and resolved) values of `authFields`. Values of fields
 * that the chosen kind does not show are ignored.
 *
 * @throws Failure `config` that names the field.
 */
export function createAuth(settings: Settings, deps: AuthDeps): ClosableAuth {
  const kind = kindOf(settings);
  const known = SECRETS.map((name) => secretOf(settings, name));
  const basic = kind === 'basic' ? [`${textOf(settings, 'username')}:${secretOf(settings, 'password')}`] : [];
  const secrets = [...known, ...basic].filter((secret) => secret !== '');
  for (const secret of secrets) deps.redact.add(secret);
  const forget = once(() => secrets.forEach((secret) => deps.redact.remove(secret)));
  try {
    return make(kind, settings, deps, forget);
  } catch (error) {
    forget();
    throw error;
  }
}

function kindOf(settings: Settings): AuthKind {
  const text = textOf(settings, 'authKind') || 'none';
  const kind = AUTH_KINDS.find((one) => one === text);
  if (!kind) throw badSetting('Authentication', `must be one of ${AUTH_KINDS.join(', ')}`);
  return kind;
}

function make(kind: AuthKind, settings: Settings, deps: AuthDeps, forget: () => void): ClosableAuth {
  switch (kind) {
    case 'oauth2':
      return createOAuth(settings, deps, forget);
    case 'basic': {
      const login = { username: textOf(settings, 'username'), password: secretOf(settings, 'password') };
      return fixed(kind, basicParts(login.username, login.password), forget, login);
    }
    case 'bearer':
      return fixed(kind, bearerParts(settings), forget);
    case 'apiKey':
      return fixed(kind, apiKeyParts(settings), forget);
    case 'certificate':
      required(textOf(settings, 'tlsCert'), 'Client certificate');
      required(secretOf(settings, 'tlsKey'), 'Client key');
      return fixed(kind, NOTHING, forget);
    case 'none':
      return fixed(kind, NOTHING, forget);
  }
}

const NOTHING: AuthParts = { headers: {}, query: {} };

/** Credentials that stay as they are: a refused one cannot be renewed. */
function fixed(
  kind: AuthKind,
  parts: AuthParts,
  forget: () => void,
  login = { username: '', password: '' },
): ClosableAuth {
  return {
    kind,
    ...login,
    parts: (scope) => (scope.reason ? Promise.reject(scope.reason) : Promise.resolve(parts)),
    renew: () => false,
    close: forget,
    settled: () => Promise.resolve(),
  };
}

function once(fn: () => void): () => void {
  let done = false;
  return () => {
    if (!done) fn();
    done = true;
  };
}
