import type { Scope } from '../core';

export const AUTH_KINDS = ['none', 'basic', 'bearer', 'apiKey', 'oauth2', 'certificate'] as const;
export type AuthKind = (typeof AUTH_KINDS)[number];

/** What a request must carry. Never logged. */
export interface AuthParts {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** The credentials of one connection, ready for use. */
export interface Auth {
  readonly kind: AuthKind;
  /** For protocols with their own login (SQL, MQTT). Empty strings when the kind has none. */
  readonly username: string;
  readonly password: string;
  /** Headers and query of one HTTP request. OAuth2 gets or refreshes its token here (single flight). */
  parts(scope: Scope): Promise<AuthParts>;
  /**
   * The peer refused what `parts` gave. Returns true when a new token is worth one more try; false when the
   * credentials are fixed (basic, bearer, key).
   */
  renew(): boolean;
  close(): void;
}

/** Options for tls.connect and https.Agent. Undefined where the connection does not use TLS settings. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}
