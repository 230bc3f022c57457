import type { Clock, Timer } from '../core';

const SLOTS = 512;

/** One waiting entry: a link of its slot's list, so that cancelling costs a few assignments. */
class Entry implements Timer {
  next: Entry | undefined;
  previous: Entry | undefined;
  /** Undefined once it ran or was cancelled. */
  wheel: TimerWheel | undefined;

  constructor(
    wheel: TimerWheel,
    readonly tick: number,
    readonly fn: () => void,
  ) {
    this.wheel = wheel;
  }

  cancel(): void {
    this.wheel?.remove(this);
  }
}

/**
 * Many timeouts on one clock timer. Almost every timeout is cancelled before it is due, so adding and cancelling
 * are cheap and precision is not: an entry never runs early, and late by at most one tick.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: (Entry | undefined)[] = new Array<Entry | undefined>(SLOTS).fill(undefined);
  #size = 0;
  #timer: Timer | undefined;
  /** The tick the clock timer is set for. It stays set when entries are cancelled: re-arming costs more. */
  #armedFor = Infinity;
  /** All ticks up to this one are done. */
  #done = -1;

  constructor(clock: Clock, tickMs = 10) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Entries waiting; for leak tests. */
  get size(): number {
    return this.#size;
  }

  /** Runs `fn` after at least `ms` milliseconds. `now` is the clock's `mono()` when the caller has just read it. */
  add(ms: number, fn: () => void, now: number = this.#clock.mono()): Timer {
    const tick = Math.max(Math.ceil((now + ms) / this.#tickMs), this.#done + 1);
    const entry = new Entry(this, tick, fn);
    const slot = tick % SLOTS;
    const head = this.#slots[slot];
    if (head) {
      entry.next = head;
      head.previous = entry;
    }
    this.#slots[slot] = entry;
    this.#size += 1;
    if (tick < this.#armedFor) this.#arm(tick, now);
    return entry;
  }

  /** Cancels an entry; entries call it themselves. */
  remove(entry: Entry): void {
    const { previous, next } = entry;
    if (previous) previous.next = next;
    else this.#slots[entry.tick % SLOTS] = next;
    if (next) next.previous = previous;
    entry.previous = entry.next = entry.wheel = undefined;
    this.#size -= 1;
  }

  /** Forgets every entry and the clock timer. */
  close(): void {
    for (const entry of this.#entries()) this.remove(entry);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Infinity;
  }

  #arm(tick: number, now: number): void {
    this.#timer?.cancel();
    this.#armedFor = tick;
    this.#timer = this.#clock.timer(Math.max(0, tick * this.#tickMs - now), () => this.#turn());
  }

  #turn(): void {
    this.#timer = undefined;
    this.#armedFor = Infinity;
    const now = this.#clock.mono();
    // A timer that fires a rounding error early still means its own tick; entries never run early by a whole tick.
    this.#done = Math.floor((now + 1e-6) / this.#tickMs);
    const due = this.#entries().filter((entry) => entry.tick <= this.#done);
    due.sort((a, b) => a.tick - b.tick);
    const thrown: unknown[] = [];
    for (const entry of due) {
      if (entry.wheel === undefined) continue; // cancelled by an entry that ran before it
      this.remove(entry);
      try {
        entry.fn();
      } catch (error) {
        // One bad entry must not cost the others their timeouts.
        thrown.push(error);
      }
    }
    const next = this.#entries().reduce((least, entry) => Math.min(least, entry.tick), Infinity);
    if (next < this.#armedFor) this.#arm(next, this.#clock.mono());
    if (thrown.length > 0) throw thrown[0];
  }

  #entries(): Entry[] {
    const all: Entry[] = [];
    for (const head of this.#slots) {
      for (let entry = head; entry; entry = entry.next) all.push(entry);
    }
    return all;
  }
}
