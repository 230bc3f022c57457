/** What a NATS server needs to know about us, and we about it. */
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Clock, Failure, Log, Scope } from '../../core';

/** At most one way to log in; all empty for a server that asks for none. */
export interface NatsAuth {
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Text of a credentials file (JWT and seed). */
  readonly creds?: string;
  /** Seed of an NKey. */
  readonly nkey?: string;
}

export interface NatsOptions {
  /** "host:port" of each server of the cluster; the client takes one that answers. */
  readonly servers: readonly string[];
  readonly auth?: NatsAuth;
  /** Undefined: without TLS. */
  readonly tls?: TlsOptions;
  readonly clock: Clock;
  readonly log: Log;
  /** Shown in the server's list of connections, and in sentences. */
  readonly name: string;
  /** The connection ended by itself; called once. Everything that waits has been rejected with the same failure. */
  readonly lost: (failure: Failure) => void;
  readonly openTimeoutMs: number;
  readonly scope: Scope;
  /** Copies of each stream in a cluster, 1 to 5. */
  readonly replicas: number;
  /** Begins all names on the server; 1 to 32 letters, digits, `_` and `-`. Default `holdfast`. */
  readonly prefix?: string;
  /** How long a request may wait for the server. Default 5 s. */
  readonly requestTimeoutMs?: number;
  /**
   * How long the server waits for a sign of life of a gateway before it gives its records to another. Equal on all
   * gateways. Default 30 s.
   */
  readonly holdMs?: number;
}

/** Defaults of what the options leave open. */
export const DEFAULTS = { prefix: 'holdfast', requestTimeoutMs: 5_000, holdMs: 30_000 } as const;
