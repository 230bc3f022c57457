/**
 * What several gateways share beside queues: leases, so that one of them does a job, and small pieces of state. Only
 * durations are used, never the difference of two machines' clocks.
 */
import { Failure, type Scope } from '../core';

export interface Cluster {
  readonly leases: LeaseService;
  readonly shared: SharedState;
}

export interface LeaseRequest {
  /**
   * After this time without `renew` the lease is free again: 1 s to 7 days. All who want the same lease must ask for
   * the same time.
   */
  readonly ttlMs: number;
  /** Who asks, for people; at most 200 characters. */
  readonly holder: string;
}

export interface LeaseService {
  /** Undefined: someone else holds it. Names have 1 to 200 characters. */
  acquire(name: string, request: LeaseRequest): Promise<Held | undefined>;
}

/** A lease in our hands. */
export interface Held {
  /**
   * Fencing number: rises with every change of the holder. A peer that remembers the highest it saw can refuse a
   * holder that was frozen and does not know yet that it lost the lease.
   */
  readonly fence: number;
  /** Ends when the lease is lost or released: nothing may be done in its name afterwards. */
  readonly lost: Scope;
  /** Prolongs it by its time from now. False: it is lost. */
  renew(): Promise<boolean>;
  /** Gives it back, so that another may take it at once. Never throws. */
  release(): Promise<void>;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface SharedEntry {
  readonly value: Json;
  /** Rises with every change of any entry. */
  readonly revision: number;
}

/** Longest JSON text of one entry. */
export const SHARED_MAX_BYTES = 64 * 1024;

export interface SharedState {
  get(key: string): Promise<SharedEntry | undefined>;
  /** Resolves with the revision once it is stored. Entries that nobody writes for a day vanish. */
  put(key: string, value: Json): Promise<number>;
  remove(key: string): Promise<void>;
  /**
   * Calls `fn` with the present entry, if there is one, and then with every change by whomever; undefined after a
   * removal. Returns what ends it. Must not throw.
   */
  watch(key: string, fn: (entry: SharedEntry | undefined) => void): Promise<() => void>;
}

/** The text of a value that may be shared; a Failure for what may not. */
export function checkShared(key: string, value: Json): string {
  const text: unknown = JSON.stringify(value);
  if (typeof text === 'string' && Buffer.byteLength(text) <= SHARED_MAX_BYTES) return text;
  throw new Failure(
    'rejected',
    'NOT_STORABLE',
    `The shared state "${key.slice(0, 40)}" must be JSON of at most ${SHARED_MAX_BYTES} bytes.`,
    { reached: false },
  );
}

/** Refuses names of leases and keys of shared state that not every store could hold. */
export function checkClusterName(name: string): void {
  if (name.length >= 1 && name.length <= 200) return;
  throw new Failure(
    'config',
    'BAD_CONFIG',
    `The name "${name.slice(0, 40)}" must have 1 to 200 characters.`,
    {
      reached: false,
    },
  );
}

/** A lease lasts from one second to seven days. */
export function checkLeaseTime(ttlMs: number): void {
  if (ttlMs >= 1_000 && ttlMs <= 7 * 86_400_000) return;
  throw new Failure('config', 'BAD_CONFIG', `A lease can last from 1 second to 7 days, not ${ttlMs} ms.`, {
    reached: false,
  });
}
