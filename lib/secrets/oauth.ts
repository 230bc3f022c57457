import { cancelled, isFailure, Scope, toFailure, type Failure } from '../core';
import type { AuthDeps, ClosableAuth } from './auth';
import { refreshTokens, type RefreshTokens } from './refresh-token';
import type { Settings } from './settings';
import { tokenRequests, type TokenRequests } from './token-request';
import { readTokenResponse, tokenFailure, type TokenSet } from './token-response';
import { shownUrl } from './token-url';
import type { AuthParts } from './types';

const EXCHANGE_TIMEOUT_MS = 30_000;
/** A refusal is remembered, so that a thousand waiting messages do not lock the account. */
const REFUSAL_MS = 30_000;
/** A 401 this soon after a renewal belongs to a request that was still sent with the old token. */
const FRESH_MS = 10_000;
const DEFAULT_AHEAD_MS = 60_000;
/** Ahead of the expiry there is time: a failing token endpoint is not asked again by the very next call. */
const AHEAD_PAUSE_MS = 5_000;

interface Token {
  readonly parts: AuthParts;
  readonly secret: string;
  readonly obtainedAt: number;
  /** Monotonic; Infinity when the server does not tell. */
  readonly refreshAt: number;
  readonly expiresAt: number;
}

/** OAuth2 credentials: one exchange at a time, ahead of expiry, shared by every waiting call. */
export function createOAuth(settings: Settings, deps: AuthDeps, forget: () => void): ClosableAuth {
  return new OAuth(settings, deps, forget);
}

class OAuth implements ClosableAuth {
  readonly kind = 'oauth2';
  readonly username = '';
  readonly password = '';
  readonly #deps: AuthDeps;
  readonly #requests: TokenRequests;
  readonly #refresh: RefreshTokens;
  readonly #ahead: number;
  readonly #forget: () => void;
  readonly #closed = new Scope();
  #token: Token | undefined;
  /** Calls that are under way may still fail with the previous token in their errors. */
  #previous: Token | undefined;
  #flight: Promise<Token> | undefined;
  #refusal: { readonly failure: Failure; readonly until: number } | undefined;
  #renewed = false;

  constructor(settings: Settings, deps: AuthDeps, forget: () => void) {
    this.#deps = deps;
    this.#forget = forget;
    this.#requests = tokenRequests(settings, deps.clock, deps.random);
    this.#refresh = refreshTokens(this.#requests, deps);
    const ahead = settings.refreshAhead;
    this.#ahead = typeof ahead === 'number' && ahead >= 0 ? ahead : DEFAULT_AHEAD_MS;
  }

  async parts(scope: Scope): Promise<AuthParts> {
    scope.throwIfAborted();
    this.#closed.throwIfAborted();
    const now = this.#deps.clock.mono();
    const token = this.#token;
    if (token && now < token.refreshAt) return token.parts;
    if (token && now < token.expiresAt) {
      this.#fetchAhead(token);
      return token.parts;
    }
    return (await raced(this.#fetch(), [scope, this.#closed])).parts;
  }

  renew(): boolean {
    const token = this.#token;
    if (!token || this.#closed.aborted) return !this.#closed.aborted;
    const fresh = this.#renewed && this.#deps.clock.mono() - token.obtainedAt < FRESH_MS;
    if (!fresh) {
      this.#previous = this.#replacePrevious(token);
      this.#token = undefined;
      this.#renewed = true;
    }
    return true;
  }

  close(): void {
    if (this.#closed.aborted) return;
    this.#closed.abort(cancelled());
    void this.settled().then(() => {
      for (const token of [this.#token, this.#previous]) if (token) this.#deps.redact.remove(token.secret);
      this.#token = this.#previous = undefined;
      this.#refresh.close();
      this.#forget();
    });
  }

  async settled(): Promise<void> {
    await this.#flight?.catch(() => {});
  }

  /** Single flight: whoever asks while an exchange runs gets its result. */
  #fetch(): Promise<Token> {
    const refusal = this.#refusal;
    if (refusal && this.#deps.clock.mono() < refusal.until) return Promise.reject(refusal.failure);
    this.#flight ??= this.#exchange().finally(() => (this.#flight = undefined));
    return this.#flight;
  }

  async #exchange(): Promise<Token> {
    const asked = this.#deps.clock.mono();
    try {
      const tokens = await this.#refresh.around((refreshToken) => this.#request(refreshToken));
      this.#refusal = undefined;
      return this.#keep(tokens, asked);
    } catch (error) {
      const failure = toFailure(error);
      if (failure.kind === 'auth') this.#refusal = { failure, until: this.#deps.clock.mono() + REFUSAL_MS };
      throw failure;
    }
  }

  async #request(refreshToken: string): Promise<TokenSet> {
    const { clock, http, redact } = this.#deps;
    const { url } = this.#requests;
    const endpoint = shownUrl(url);
    const scope = new Scope();
    const late = tokenFailure('transient', `The token endpoint ${endpoint} did not answer within 30 seconds`);
    const timer = clock.timer(EXCHANGE_TIMEOUT_MS, () => scope.abort(late));
    try {
      const { headers, body } = this.#requests.build(refreshToken);
      const response = await raced(http.post(url, headers, body, scope), [scope]);
      return readTokenResponse(response, {
        endpoint,
        redact: (text) => redact.redact(text),
        now: clock.now(),
      });
    } catch (error) {
      throw isFailure(error) ? error : unreachable(endpoint, error);
    } finally {
      timer.cancel();
    }
  }

  #keep(tokens: TokenSet, asked: number): Token {
    const { redact } = this.#deps;
    const secret = tokens.accessToken;
    const lifetime = tokens.lifetimeMs ?? Infinity;
    const expiresAt = asked + lifetime;
    const token: Token = {
      parts: { headers: { authorization: `Bearer ${secret}` }, query: {} },
      secret,
      obtainedAt: this.#deps.clock.mono(),
      refreshAt: expiresAt - Math.min(this.#ahead, lifetime / 2),
      expiresAt,
    };
    redact.add(secret);
    if (this.#token) this.#previous = this.#replacePrevious(this.#token);
    this.#token = token;
    return token;
  }

  #replacePrevious(token: Token): Token {
    if (this.#previous) this.#deps.redact.remove(this.#previous.secret);
    return token;
  }

  /** Ahead of expiry nothing is lost yet: the present token goes on, and a later call tries again. */
  #fetchAhead(token: Token): void {
    if (this.#flight) return;
    this.#fetch().catch((error: unknown) => {
      const { message, retryAfterMs = 0 } = toFailure(error);
      const again = this.#deps.clock.mono() + Math.max(AHEAD_PAUSE_MS, retryAfterMs);
      if (this.#token === token) this.#token = { ...token, refreshAt: Math.min(again, token.expiresAt) };
      this.#deps.log.warn(`The access token could not be replaced ahead of its expiry: ${message}`);
    });
  }
}

const UNPROVEN =
  /^(?:ERR_TLS_CERT_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** Only the code of a network error is shown: messages of libraries can quote the request. */
function unreachable(endpoint: string, error: unknown): Failure {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const safe = /^[A-Z0-9_]{2,60}$/.test(code) ? code : 'no error code';
  if (UNPROVEN.test(code)) {
    const check =
      'Check the "Token URL" and that "CA certificates", when given, also hold the authority of the token endpoint';
    const sentence = `The token endpoint ${endpoint} shows a certificate that proves nothing (${code}). ${check}`;
    return tokenFailure('config', sentence, { code });
  }
  const what =
    code === 'RESPONSE_TOO_LARGE' ? 'answered with more than 64 KiB' : `cannot be reached (${safe})`;
  return tokenFailure('transient', `The token endpoint ${endpoint} ${what}`, { code: safe });
}

/** The promise's result, or the reason of the first scope that ends. The promise itself goes on. */
function raced<T>(promise: Promise<T>, scopes: readonly Scope[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const offs = scopes.map((scope) => scope.onAbort(reject));
    const settle =
      <V>(finish: (value: V) => void) =>
      (value: V): void => {
        for (const off of offs) off();
        finish(value);
      };
    promise.then(settle(resolve), settle(reject));
  });
}
