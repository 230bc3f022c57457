/** What lets several gateways agree: a queue connection whose store can hold leases and shared state. */
import { Failure, type Scope } from '../core';
import type { Cluster } from '../queue/cluster';
import type { Connection } from './connection';

const NO_RETRY = { strategy: 'none', attempts: 1, baseMs: 0, maxMs: 0 } as const;
const TIMEOUT_MS = 10_000;

export interface Coordinator {
  readonly name: string;
  /** Rejects with a Failure while the other gateways cannot be asked. */
  ask<T>(fn: (cluster: Cluster) => Promise<T>): Promise<T>;
  /**
   * Runs `fn` on every opening of the connection; what it returns ends it. `refused` hears that its store cannot
   * coordinate. Returns what ends all.
   */
  onOpen(fn: (cluster: Cluster) => () => void, refused?: (failure: Failure) => void): () => Promise<void>;
}

/** `scope` ends what is being asked. */
export function coordinatorOf(connection: Connection, scope: Scope): Coordinator {
  const { name } = connection;
  return {
    name,
    ask: <T>(fn: (cluster: Cluster) => Promise<T>) =>
      connection.run<T>({
        effect: 'idempotent',
        timeoutMs: TIMEOUT_MS,
        retry: NO_RETRY,
        key: 'coordinator',
        scope,
        call: (session) => fn(clusterOf(session, name)),
      }),
    onOpen: (fn, refused) =>
      connection.onSession((session) => {
        const cluster = findCluster(session);
        if (cluster) return fn(cluster);
        // It comes from the connection's own turn, where nothing may be thrown.
        refused?.(cannot(name));
        return () => {};
      }),
  };
}

function findCluster(session: unknown): Cluster | undefined {
  return (session as { readonly cluster?: Cluster } | undefined)?.cluster;
}

function clusterOf(session: unknown, name: string): Cluster {
  const cluster = findCluster(session);
  if (cluster) return cluster;
  throw cannot(name);
}

function cannot(name: string): Failure {
  const sentence = `"${name}" cannot coordinate gateways: its store must be NATS JetStream (or memory, for tests).`;
  return new Failure('config', 'BAD_CONFIG', sentence, { reached: false });
}
