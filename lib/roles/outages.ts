/** Outages that a simulated connection plays, so that a flow can be seen to survive one. */
import { Failure, type Clock, type Timer } from '../core';

export interface OutagePlan {
  /** Milliseconds from the end of one outage to the next; 0: none. */
  readonly everyMs: number;
  readonly lastsMs: number;
}

export class Outages {
  readonly #clock: Clock;
  readonly #plan: OutagePlan;
  readonly #name: string;
  readonly #begun: (failure: Failure) => void;
  #timer: Timer | undefined;
  #now: Failure | undefined;

  /** `begun` ends the open session. */
  constructor(clock: Clock, plan: OutagePlan, name: string, begun: (failure: Failure) => void) {
    this.#clock = clock;
    this.#plan = plan;
    this.#name = name;
    this.#begun = begun;
    if (plan.everyMs > 0) this.#wait();
  }

  /** What an opening is refused with; undefined while the peer is there. */
  get now(): Failure | undefined {
    return this.#now;
  }

  close(): void {
    this.#timer?.cancel();
    this.#now = undefined;
  }

  #wait(): void {
    this.#now = undefined;
    this.#timer = this.#clock.timer(this.#plan.everyMs, () => this.#begin());
  }

  #begin(): void {
    const sentence = `The simulator of "${this.#name}" plays an outage; it ends by itself.`;
    this.#now = new Failure('disconnected', 'CONNECTION_LOST', sentence);
    this.#timer = this.#clock.timer(this.#plan.lastsMs, () => this.#wait());
    this.#begun(this.#now);
  }
}
