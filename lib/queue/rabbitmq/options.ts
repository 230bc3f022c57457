import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Clock, Failure, Log, Scope } from '../../core';

/** What a RabbitMQ server needs to know about us, and we about it. */
export interface RabbitOptions {
  readonly host: string;
  readonly port: number;
  readonly virtualHost: string;
  readonly user: string;
  readonly password: string;
  /** Undefined: without TLS. */
  readonly tls?: Omit<TlsOptions, 'timeout'>;
  /** 0 switches heartbeats off. */
  readonly heartbeatSeconds: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly scope: Scope;
  readonly openTimeoutMs: number;
  /** The connection ended by itself; called once. Everything that waits has been rejected with the same failure. */
  readonly lost: (failure: Failure) => void;
  /** Begins all names on the server; 1 to 32 letters, digits, `_` and `-`. Default `holdfast`. */
  readonly prefix?: string;
  /** How long a request may wait for the server before the connection counts as lost. Default 30 s. */
  readonly requestTimeoutMs?: number;
}

export const DEFAULT_PREFIX = 'holdfast';
export const DEFAULT_REQUEST_MS = 30_000;
