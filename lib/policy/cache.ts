import { isFailure, type Clock, type Scope } from '../core';
import { tryCopy } from './copy';

export interface CacheOptions {
  readonly ttlMs: number;
  /** Results kept; the one not used for longest goes first. */
  readonly size: number;
}

interface Kept {
  readonly value: unknown;
  readonly until: number;
}

/**
 * Results of `safe` calls by key: LRU with a time to live, and one running call a key. Every reader gets a copy of
 * its own, because flows change messages in place. A result that cannot be copied is not kept.
 */
export class ResultCache {
  readonly #options: CacheOptions;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  readonly #flights = new Map<string, Promise<unknown>>();

  constructor(options: CacheOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get size(): number {
    return this.#kept.size;
  }

  clear(): void {
    this.#kept.clear();
  }

  /**
   * The kept result, the one of a call that is already running for this key, or that of `load`. `seen` hears once
   * whether `load` was spared. Waiting for another's call ends at once when the scope ends; when the other is
   * cancelled, this one loads for itself.
   */
  async get<T>(key: string, scope: Scope, load: () => Promise<T>, seen?: (hit: boolean) => void): Promise<T> {
    const kept = this.#find(key);
    if (kept) {
      seen?.(true);
      return kept.value as T;
    }
    for (let flight = this.#flights.get(key); flight; flight = this.#flights.get(key)) {
      const shared = await follow(flight, scope);
      if (shared === 'cancelled') continue;
      if (shared === 'not copyable') break;
      seen?.(true);
      return shared.value as T;
    }
    seen?.(false);
    return this.#lead(key, load);
  }

  async #lead<T>(key: string, load: () => Promise<T>): Promise<T> {
    const flight = load();
    this.#flights.set(key, flight);
    try {
      const value = await flight;
      this.#keep(key, value);
      return value;
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }

  #find(key: string): { readonly value: unknown } | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    this.#kept.delete(key);
    if (kept.until <= this.#clock.mono()) return undefined;
    this.#kept.set(key, kept); // now the youngest
    return tryCopy(kept.value);
  }

  #keep(key: string, value: unknown): void {
    const own = this.#options.ttlMs > 0 && this.#options.size > 0 ? tryCopy(value) : undefined;
    if (!own) return;
    this.#kept.delete(key);
    this.#kept.set(key, { value: own.value, until: this.#clock.mono() + this.#options.ttlMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#options.size) break;
      this.#kept.delete(oldest);
    }
  }
}

/** Waits for another's call and copies its result before the other's flow can change it. */
function follow(
  flight: Promise<unknown>,
  scope: Scope,
): Promise<{ readonly value: unknown } | 'cancelled' | 'not copyable'> {
  return new Promise((resolve, reject) => {
    const off = scope.onAbort(reject);
    flight.then(
      (value) => {
        off();
        resolve(tryCopy(value) ?? 'not copyable');
      },
      (error: unknown) => {
        off();
        if (isFailure(error) && error.kind === 'cancelled') resolve('cancelled');
        else reject(error);
      },
    );
  });
}
