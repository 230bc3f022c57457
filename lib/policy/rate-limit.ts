import type { Clock, Timer } from '../core';
import { Waiters } from './waiters';

export interface RateLimitOptions {
  /** Requests a period, on average. */
  readonly requests: number;
  readonly periodMs: number;
  /** Requests that may go at once after a quiet time; at least 1. */
  readonly burst: number;
  readonly whenEmpty: 'wait' | 'reject';
  /** Reject instead of waiting longer than this; 0 waits as long as it takes. */
  readonly maxWaitMs: number;
}

/** Absorbs rounding of fractions of a token. */
const NEARLY = 1 - 1e-9;

/** A token bucket: refills steadily, holds at most `burst` tokens, serves first in, first out. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #waiters = new Waiters(() => this.#giveBack());
  #tokens: number;
  #filledAt: number;
  #timer: Timer | undefined;

  constructor(options: RateLimitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#perMs = options.requests / options.periodMs;
    this.#tokens = options.burst;
    this.#filledAt = clock.mono();
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Tokens in the bucket now, between 0 and `burst`. */
  get tokens(): number {
    this.#fill(this.#clock.mono());
    return this.#tokens;
  }

  /** Takes a token if one is there and nobody waits before. */
  tryTake(now: number): boolean {
    this.#fill(now);
    if (this.#waiters.size > 0 || this.#tokens < NEARLY) return false;
    this.#tokens = Math.max(0, this.#tokens - 1);
    return true;
  }

  /** How long a call that joins the line now has to wait, in milliseconds. */
  expectedWait(now: number): number {
    this.#fill(now);
    return Math.max(0, (this.#waiters.size + 1 - this.#tokens) / this.#perMs);
  }

  /** Waits for a token; `go` runs with it taken. Returns the cancelling function; undefined: the call is rejected. */
  wait(now: number, go: () => void): (() => void) | undefined {
    const { whenEmpty, maxWaitMs } = this.#options;
    if (whenEmpty === 'reject') return undefined;
    if (maxWaitMs > 0 && this.expectedWait(now) > maxWaitMs) return undefined;
    const cancel = this.#waiters.add(go);
    this.#arm();
    return () => {
      cancel();
      if (this.#waiters.size === 0) this.#disarm();
    };
  }

  #fill(now: number): void {
    if (now <= this.#filledAt) return;
    this.#tokens = Math.min(this.#options.burst, this.#tokens + (now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
  }

  #arm(): void {
    if (this.#timer || this.#waiters.size === 0) return;
    this.#timer = this.#clock.timer(Math.ceil(Math.max(0, (1 - this.#tokens) / this.#perMs)), () => {
      this.#timer = undefined;
      this.#serve();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #serve(): void {
    this.#fill(this.#clock.mono());
    while (this.#tokens >= NEARLY && this.#waiters.grant()) this.#tokens = Math.max(0, this.#tokens - 1);
    this.#arm();
  }

  /** A waiter left with a token it did not use. */
  #giveBack(): void {
    this.#tokens = Math.min(this.#options.burst, this.#tokens + 1);
    if (this.#waiters.size > 0) this.#serve();
  }
}
