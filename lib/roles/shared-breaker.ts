/** One circuit breaker over many gateways: when it opens or closes on one, the others follow. */
import { toFailure, type Log } from '../core';
import type { Cluster, Json, SharedEntry } from '../queue/cluster';
import type { Breaker, BreakerRecord, BreakerState } from '../policy/breaker';
import type { Coordinator } from './coordinator';

interface Shared {
  /** Who wrote it, so that nobody follows itself. */
  readonly by: string;
  readonly state: 'open' | 'closed';
  readonly remainingMs: number;
}

export class SharedBreaker {
  readonly #breaker: Breaker;
  readonly #key: string;
  readonly #self: string;
  readonly #log: Log;
  readonly #ends: (() => void | Promise<void>)[];
  #cluster: Cluster | undefined;
  /** Revision of the last entry that was looked at: a new session shows it again, and it is old by then. */
  #seen: number | undefined;
  /** While another's state is taken over, the change is not ours to tell. */
  #following = false;

  /** `key` is the same on all gateways, `self` on none. */
  constructor(breaker: Breaker, coordinator: Coordinator, key: string, self: string, log: Log) {
    this.#breaker = breaker;
    this.#key = key;
    this.#self = self;
    this.#log = log;
    this.#ends = [
      breaker.onState((state) => this.#tell(state)),
      coordinator.onOpen(
        (cluster) => this.#watch(cluster),
        (failure) => log.warn(`The breaker is not shared: ${failure.message}`),
      ),
    ];
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end();
  }

  #watch(cluster: Cluster): () => void {
    this.#cluster = cluster;
    let over = false;
    let stop: (() => void) | undefined;
    cluster.shared
      .watch(this.#key, (entry) => {
        if (entry && !over) this.#see(entry);
      })
      .then(
        (end) => {
          if (over) end();
          else stop = end;
        },
        (error: unknown) => this.#broken(error),
      );
    // What happened while nobody could be told.
    if (this.#breaker.state === 'open') this.#tell('open');
    return () => {
      over = true;
      this.#cluster = undefined;
      stop?.();
    };
  }

  #tell(state: BreakerState): void {
    if (this.#following || state === 'half-open' || !this.#cluster) return;
    const value: Json = { by: this.#self, state, remainingMs: Math.ceil(this.#breaker.remainingMs) };
    this.#cluster.shared.put(this.#key, value).catch((error: unknown) => this.#broken(error));
  }

  #see({ value, revision }: SharedEntry): void {
    const again = revision === this.#seen;
    this.#seen = revision;
    const shared = read(value);
    if (!shared) return;
    if (shared.by !== this.#self) {
      if (!again) this.#follow(shared);
      return;
    }
    // It closed while nobody could be told.
    if (shared.state === 'open' && this.#breaker.state === 'closed') this.#tell('closed');
  }

  #follow(shared: Shared): void {
    const opens = shared.state === 'open' && this.#breaker.state === 'closed';
    const closes = shared.state === 'closed' && this.#breaker.state !== 'closed';
    if (!opens && !closes) return;
    const { state, remainingMs } = shared;
    const record: BreakerRecord = { state, remainingMs, failures: 0, window: [] };
    this.#following = true;
    try {
      this.#breaker.restoreState(record);
    } finally {
      this.#following = false;
    }
  }

  #broken(error: unknown): void {
    this.#log.debug(`The breaker is not shared at the moment: ${toFailure(error).message}`);
  }
}

/** Other gateways are not trusted to write sense. */
function read(value: unknown): Shared | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { by, state, remainingMs } = value as Partial<Record<keyof Shared, unknown>>;
  if (typeof by !== 'string' || (state !== 'open' && state !== 'closed')) return undefined;
  return { by, state, remainingMs: typeof remainingMs === 'number' ? remainingMs : 0 };
}
