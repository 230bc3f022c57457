/** Deliveries that were handed out and not settled yet, until their visibility runs out. */
import type { Clock, Timer } from '../../lib/core';

export interface Hold {
  readonly delivery: number;
  /** Monotonic. */
  readonly until: number;
}

export class Holds {
  readonly #clock: Clock;
  readonly #expired: (tokens: readonly string[]) => void;
  readonly #all = new Map<string, Hold>();
  #timer: Timer | undefined;
  #due = Infinity;

  constructor(clock: Clock, expired: (tokens: readonly string[]) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  get size(): number {
    return this.#all.size;
  }

  tokens(): readonly string[] {
    return [...this.#all.keys()];
  }

  deliveryOf(token: string): number {
    return this.#all.get(token)?.delivery ?? 1;
  }

  add(token: string, delivery: number, visibilityMs: number): void {
    const until = this.#clock.mono() + visibilityMs;
    this.#all.set(token, { delivery, until });
    this.#arm(until);
  }

  extend(token: string, visibilityMs: number): void {
    const hold = this.#all.get(token);
    if (hold) this.add(token, hold.delivery, visibilityMs);
  }

  remove(token: string): boolean {
    return this.#all.delete(token);
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due = Infinity;
    this.#all.clear();
  }

  /** One timer for all; it may fire for a delivery that was settled or prolonged since. */
  #arm(until: number): void {
    if (until >= this.#due) return;
    this.#timer?.cancel();
    this.#due = until;
    this.#timer = this.#clock.timer(until - this.#clock.mono(), () => this.#look());
  }

  #look(): void {
    const now = this.#clock.mono();
    const over: string[] = [];
    let next = Infinity;
    for (const [token, { until }] of this.#all) {
      if (until <= now) over.push(token);
      else next = Math.min(next, until);
    }
    this.#timer = undefined;
    this.#due = Infinity;
    for (const token of over) this.#all.delete(token);
    if (next < Infinity) this.#arm(next);
    if (over.length > 0) this.#expired(over);
  }
}
