import { createHash } from 'node:crypto';
import { isFailure, type Log, type StateStore } from '../core';
import type { Redactor } from './redact';
import type { TokenRequests } from './token-request';
import { tokenFailure, type TokenSet } from './token-response';

interface Deps {
  readonly store: StateStore;
  readonly log: Log;
  readonly redact: Pick<Redactor, 'add' | 'remove'>;
}
interface Saved {
  readonly v: 1;
  /** Which configured token this one descends from: a newly entered one must win. */
  readonly origin: string;
  readonly refreshToken: string;
}

/** Knows the valid refresh token through rotation (RFC 6749 section 6, RFC 9700 section 4.14). */
export interface RefreshTokens {
  /** Runs one exchange; resolves only after a rotated refresh token is on disk. */
  around(exchange: (refreshToken: string) => Promise<TokenSet>): Promise<TokenSet>;
  close(): void;
}

export function refreshTokens(requests: TokenRequests, deps: Deps): RefreshTokens {
  if (requests.grant !== 'refresh_token') return { around: (exchange) => exchange(''), close() {} };
  return new Rotation(requests, deps);
}

class Rotation implements RefreshTokens {
  readonly #deps: Deps;
  readonly #configured: string;
  readonly #origin: string;
  #current: string | undefined;
  /** Issued, but its refresh token could not be saved yet: must not be used before that. */
  #unsaved: TokenSet | undefined;

  constructor(requests: TokenRequests, deps: Deps) {
    this.#deps = deps;
    this.#configured = requests.refreshToken;
    const identity = [requests.url.href, requests.clientId, requests.refreshToken];
    this.#origin = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  }

  async around(exchange: (refreshToken: string) => Promise<TokenSet>): Promise<TokenSet> {
    const unsaved = this.#unsaved;
    if (unsaved?.refreshToken !== undefined) {
      await this.#save(unsaved.refreshToken);
      this.#unsaved = undefined;
      // Its access token may have aged while it could not be saved, so a new one is fetched below.
    }
    const current = (this.#current ??= await this.#load());
    const tokens = await exchange(current);
    const rotated = tokens.refreshToken;
    if (rotated === undefined || rotated === current) return tokens;
    this.#deps.redact.add(rotated);
    if (current !== this.#configured) this.#deps.redact.remove(current);
    this.#current = rotated;
    this.#unsaved = tokens;
    await this.#save(rotated);
    this.#unsaved = undefined;
    return tokens;
  }

  close(): void {
    if (this.#current !== undefined && this.#current !== this.#configured)
      this.#deps.redact.remove(this.#current);
    this.#current = this.#unsaved = undefined;
  }

  async #load(): Promise<string> {
    const saved = await this.#read();
    if (saved?.origin !== this.#origin) return this.#configured;
    if (saved.refreshToken !== this.#configured) this.#deps.redact.add(saved.refreshToken);
    return saved.refreshToken;
  }

  async #read(): Promise<Saved | undefined> {
    try {
      return asSaved(await this.#deps.store.load());
    } catch (error) {
      if (!isFailure(error) || error.kind !== 'config') {
        throw tokenFailure(
          'transient',
          'The stored refresh token cannot be read: check the disk and its rights',
        );
      }
      // Unreadable for good. The configured token is the only one left; the server says whether it still counts.
      this.#deps.log.warn(error.message);
      return undefined;
    }
  }

  async #save(refreshToken: string): Promise<void> {
    const document: Saved = { v: 1, origin: this.#origin, refreshToken };
    try {
      await this.#deps.store.save(document);
    } catch {
      const sentence =
        'The server replaced the refresh token, but the new one cannot be saved: check the disk and its rights. ' +
        'Holdfast does not use it before it is safe, and tries again';
      throw tokenFailure('transient', sentence);
    }
  }
}

function asSaved(value: unknown): Saved | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { v, origin, refreshToken } = value as Partial<Saved>;
  if (v !== 1 || typeof origin !== 'string' || typeof refreshToken !== 'string' || refreshToken === '')
    return undefined;
  return { v, origin, refreshToken };
}
