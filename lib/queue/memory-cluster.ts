/** Leases and shared state within one process: for tests, for simulation, and where there is only one gateway. */
import { Failure, Scope, type Clock, type Timer } from '../core';
import {
  checkClusterName,
  checkLeaseTime,
  checkShared,
  type Cluster,
  type Held,
  type Json,
  type LeaseRequest,
  type LeaseService,
  type SharedEntry,
  type SharedState,
} from './cluster';

/** All who got the same cluster share it. */
export function memoryCluster(clock: Clock): Cluster {
  return { leases: new MemoryLeases(clock), shared: new MemoryShared() };
}

class MemoryLeases implements LeaseService {
  readonly #held = new Map<string, MemoryLease>();
  #fence = 0;

  constructor(readonly clock: Clock) {}

  async acquire(name: string, { ttlMs }: LeaseRequest): Promise<Held | undefined> {
    checkClusterName(name);
    checkLeaseTime(ttlMs);
    const holder = this.#held.get(name);
    if (holder && !holder.checkLost()) return undefined;
    this.#fence += 1;
    const lease = new MemoryLease(this.clock, name, ttlMs, this.#fence, () => this.#held.delete(name));
    this.#held.set(name, lease);
    return lease;
  }
}

class MemoryLease implements Held {
  readonly lost = new Scope();
  #until = 0;
  #timer: Timer | undefined;

  constructor(
    readonly clock: Clock,
    readonly name: string,
    readonly ttlMs: number,
    readonly fence: number,
    readonly free: () => void,
  ) {
    this.#hold();
  }

  async renew(): Promise<boolean> {
    if (this.checkLost()) return false;
    this.#hold();
    return true;
  }

  async release(): Promise<void> {
    this.#end(new Failure('cancelled', 'LEASE_LOST', `The lease "${this.name}" was given back.`));
  }

  /** A timer may be late; the time is not. */
  checkLost(): boolean {
    if (this.clock.mono() >= this.#until) {
      const sentence = `The lease "${this.name}" ended because it was not renewed in time.`;
      this.#end(new Failure('transient', 'LEASE_LOST', sentence));
    }
    return this.lost.aborted;
  }

  #hold(): void {
    this.#timer?.cancel();
    this.#until = this.clock.mono() + this.ttlMs;
    this.#timer = this.clock.timer(this.ttlMs, () => void this.checkLost());
  }

  #end(reason: Failure): void {
    if (this.lost.aborted) return;
    this.#timer?.cancel();
    this.free();
    this.lost.abort(reason);
  }
}

/** The oldest make room. */
const MOST_ENTRIES = 10_000;

type Watcher = (entry: SharedEntry | undefined) => void;

class MemoryShared implements SharedState {
  readonly #entries = new Map<string, { readonly text: string; readonly revision: number }>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  #revision = 0;

  async get(key: string): Promise<SharedEntry | undefined> {
    checkClusterName(key);
    return this.#read(key);
  }

  async put(key: string, value: Json): Promise<number> {
    checkClusterName(key);
    const text = checkShared(key, value);
    this.#revision += 1;
    this.#entries.delete(key);
    if (this.#entries.size >= MOST_ENTRIES) this.#forgetOldest();
    this.#entries.set(key, { text, revision: this.#revision });
    this.#tell(key);
    return this.#revision;
  }

  async remove(key: string): Promise<void> {
    checkClusterName(key);
    this.#entries.delete(key);
    this.#tell(key);
  }

  async watch(key: string, fn: Watcher): Promise<() => void> {
    checkClusterName(key);
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(fn));
    const entry = this.#read(key);
    if (entry) fn(entry);
    return () => {
      watchers.delete(fn);
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  /** Each reader gets a copy, as over a network. */
  #read(key: string): SharedEntry | undefined {
    const entry = this.#entries.get(key);
    return entry && { value: JSON.parse(entry.text) as Json, revision: entry.revision };
  }

  #tell(key: string): void {
    for (const watcher of this.#watchers.get(key) ?? []) watcher(this.#read(key));
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
