/** The line under a take node: how many wait, how many are in flight, and what keeps it from taking. */
import type { Clock, Timer } from '../../lib/core';
import type { Queue } from '../../lib/queue';
import type { Note } from '../../lib/roles';

const EVERY_MS = 1000;

export interface GaugeFacts {
  readonly inFlight: number;
  /** The store's sentence while it cannot be used. */
  readonly trouble: string | undefined;
  readonly paused: boolean;
  /** The connection that is waited for. */
  readonly unhealthy: string | undefined;
}

/** Counting costs the store something, so it happens at most once a second and only after something happened. */
export class Gauge {
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #note: Note;
  readonly #facts: () => GaugeFacts;
  #timer: Timer | undefined;
  #waiting = 0;
  #closed = false;

  constructor(queue: Queue, clock: Clock, note: Note, facts: () => GaugeFacts) {
    this.#queue = queue;
    this.#clock = clock;
    this.#note = note;
    this.#facts = facts;
    void this.#count();
  }

  /** Something happened. */
  touch(): void {
    if (this.#timer || this.#closed) return;
    this.#timer = this.#clock.timer(EVERY_MS, () => {
      this.#timer = undefined;
      void this.#count();
    });
  }

  /** Shows at once what needs no counting: a pause, trouble. */
  show(): void {
    if (this.#closed) return;
    const { inFlight, trouble, paused, unhealthy } = this.#facts();
    const counts = `${this.#waiting} waiting, ${inFlight} in flight`;
    if (trouble !== undefined) this.#note(trouble, 'warn');
    else if (paused) this.#note(`paused, ${counts}`);
    else if (unhealthy !== undefined) this.#note(`${unhealthy} is unhealthy, ${counts}`, 'warn');
    else this.#note(counts);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #count(): Promise<void> {
    try {
      const { waiting, delayed } = await this.#queue.stats();
      this.#waiting = waiting + delayed;
    } catch {
      // The last count stands; what is wrong with the store is told by the store.
    }
    this.show();
  }
}
