/** One connection to NATS: opened once, never reopened. When it ends, everything that waits on it is told. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { Failure, Scope, type Clock, type Log } from '../../core';
import { classifyNats } from './classify';
import type { Reader } from './reader';

/** What the client libraries export; they are loaded when a store opens. */
export interface Libraries {
  readonly transport: typeof import('@nats-io/transport-node');
  readonly jetstream: typeof import('@nats-io/jetstream');
  readonly kv: typeof import('@nats-io/kv');
}

export interface Places {
  readonly prefix: string;
  readonly replicas: number;
  readonly holdMs: number;
  /** How long a request may wait for the server. */
  readonly timeoutMs: number;
}

export class Session {
  readonly js: JetStreamClient;
  /** Ends with the connection. */
  readonly over = new Scope();
  #running = 0;
  #idle: (() => void) | undefined;
  #closing = false;

  constructor(
    readonly nc: NatsConnection,
    reader: Reader,
    readonly jsm: JetStreamManager,
    readonly lib: Libraries,
    readonly clock: Clock,
    readonly log: Log,
    readonly places: Places,
    lost: (failure: Failure) => void,
  ) {
    this.js = jsm.jetstream();
    const end = (failure: Failure): void => {
      if (this.over.aborted) return;
      this.over.abort(failure);
      if (!this.#closing) lost(failure);
    };
    reader.onFailure(end);
    void nc.closed().then((error) => end(connectionLost(error)));
  }

  /** Rejects as soon as the connection ends, whatever the library does. Errors come out as Failures. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.over.aborted || this.#closing) return reject(notConnected());
      this.#running += 1;
      let open = true;
      const end = (): void => {
        if (!open) return;
        open = false;
        forget();
        this.#running -= 1;
        if (this.#running === 0) this.#idle?.();
      };
      const forget = this.over.onAbort((reason) => {
        end();
        reject(reason);
      });
      work().then(
        (value) => {
          end();
          resolve(value);
        },
        (error: unknown) => {
          end();
          reject(classifyNats(error));
        },
      );
    });
  }

  /** A message without an answer; nothing happens when the connection is gone. */
  tell(subject: string, payload: string): void {
    if (!this.over.aborted && !this.nc.isClosed()) this.nc.publish(subject, payload);
  }

  /** What was asked gets a moment to finish; then the connection is closed. Never throws. */
  async close(patienceMs = 1_500): Promise<void> {
    await this.#within(patienceMs, this.#allDone());
    this.#closing = true;
    if (!this.nc.isClosed()) {
      await this.#within(
        500,
        this.nc.flush().catch(() => {}),
      );
      await this.nc.close().catch(() => {});
    }
    this.over.abort(notConnected());
  }

  #allDone(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #within(ms: number, work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.timer(ms, resolve);
      void work.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

function connectionLost(error: unknown): Failure {
  return new Failure(
    'disconnected',
    'CONNECTION_LOST',
    'The connection to the NATS server ended. Check the server and the network between.',
    error instanceof Error ? { cause: error } : {},
  );
}

function notConnected(): Failure {
  return new Failure(
    'disconnected',
    'NOT_CONNECTED',
    'There is no connection to the NATS server; nothing was sent.',
    { reached: false },
  );
}
