import { cancelled, type Clock, type Effect, type Failure, type Random, type Scope } from '../core';
import type { Attempt } from './attempt';
import { Breaker, type BreakerOptions } from './breaker';
import { Bulkhead, type BulkheadOptions } from './bulkhead';
import type { ResultCache } from './cache';
import { tell, type PolicyListener } from './events';
import { Pause } from './pause';
import { RateLimit, type RateLimitOptions } from './rate-limit';
import type { RetryOptions } from './retry';
import { Roster, type Member } from './roster';
import { Run } from './run';
import type { TimerWheel } from './wheel';

/** The policies that belong to the remote system, so to its connection. */
export interface SharedPolicies {
  readonly breaker?: BreakerOptions | undefined;
  readonly rateLimit?: RateLimitOptions | undefined;
  readonly bulkhead?: BulkheadOptions | undefined;
  /** No pause asked for by the peer is longer, milliseconds. */
  readonly pauseCapMs: number;
}

/** The policies that belong to a call, so to its node. */
export interface CallOptions {
  readonly effect: Effect;
  /** Of one attempt, in milliseconds; 0 is none. */
  readonly timeoutMs: number;
  readonly retry: RetryOptions;
  /** The node's: when it ends, the call ends at once. */
  readonly scope: Scope;
  /** The same for all attempts of one message. */
  readonly key: string;
  /** Used for `safe` calls only. */
  readonly cache?: { readonly store: ResultCache; readonly key: string } | undefined;
  readonly listener?: PolicyListener | undefined;
}

export interface PipelineDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly listener?: PolicyListener | undefined;
  /** What failures call the connection; it begins their sentences. */
  readonly name?: string | undefined;
}

interface Running extends Member {
  ended(reason: Failure): void;
}

/**
 * All policies of one connection around a call: cache, bulkhead, then per attempt pause, rate limit, breaker and
 * timeout, with retries around these four.
 */
export class Pipeline {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly listener: PolicyListener | undefined;
  readonly name: string;
  readonly breaker: Breaker | undefined;
  readonly rateLimit: RateLimit | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly pauses: Pause;
  /** Calls under way. */
  readonly runs = new Roster<Running>();
  #closed = false;

  constructor(deps: PipelineDeps, shared: SharedPolicies) {
    this.clock = deps.clock;
    this.random = deps.random;
    this.wheel = deps.wheel;
    this.listener = deps.listener;
    this.name = deps.name ?? 'The device';
    const { breaker, rateLimit, bulkhead, pauseCapMs } = shared;
    this.breaker = breaker && breaker.mode !== 'off' ? new Breaker(breaker, deps.clock) : undefined;
    this.rateLimit = rateLimit && new RateLimit(rateLimit, deps.clock);
    this.bulkhead = bulkhead && new Bulkhead(bulkhead);
    this.pauses = new Pause(deps.clock, pauseCapMs);
    this.breaker?.onState((state) => tell([this.listener], 'breaker', state));
  }

  /** Runs `fn` under all policies. Rejects with a Failure, always. */
  run<T>(fn: (call: Attempt) => Promise<T>, options: CallOptions): Promise<T> {
    if (options.scope.reason) return Promise.reject(options.scope.reason);
    if (this.#closed) return Promise.reject(cancelled());
    const { cache } = options;
    if (!cache || options.effect !== 'safe') return this.#start(fn, options);
    return cache.store.get(
      cache.key,
      options.scope,
      () => this.#start(fn, options),
      (hit) => tell([this.listener, options.listener], 'cache', hit),
    );
  }

  /** The whole connection waits, because its peer asked for it. Returns the milliseconds after the cap. */
  pause(ms: number): number {
    const length = this.pauses.pause(ms);
    if (length > 0) tell([this.listener], 'paused', length);
    return length;
  }

  /** Cancels every call and wait; later calls are refused. */
  close(): void {
    this.#closed = true;
    const reason = cancelled('The call was cancelled because its connection is closing.');
    for (const run of this.runs.members()) run.ended(reason);
    this.breaker?.close();
  }

  #start<T>(fn: (call: Attempt) => Promise<T>, options: CallOptions): Promise<T> {
    // Again, because a result that another call was to bring may have been waited for.
    if (options.scope.reason) return Promise.reject(options.scope.reason);
    if (this.#closed) return Promise.reject(cancelled());
    return new Promise((resolve, reject) => new Run(this, fn, options, resolve, reject).start());
  }
}
