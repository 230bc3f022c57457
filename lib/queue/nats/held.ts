/**
 * What this gateway has leased. The server only knows one patience for all (`holdMs`); the visibility of each lease is
 * kept here, and signs of life go to the server until it runs out. When this process dies, the server's patience ends.
 */
import type { Timer } from '../../core';
import type { Attempt, Entry } from '../types';
import { giveBack, stillWorking, type Delivered } from './delivered';
import type { Note } from './notes';
import type { Session } from './session';

export interface Held {
  readonly token: string;
  readonly delivered: Delivered;
  readonly entry: Entry;
  /** Deliveries that count, this one included. */
  readonly delivery: number;
  readonly history: readonly Attempt[];
  readonly note: Note;
}

interface Slot {
  readonly held: Held;
  until: number;
  /** When the server last heard of it, by our monotonic clock; taken before sending, so never too late. */
  heard: number;
  expiry: Timer;
}

export class HeldTable {
  readonly #slots = new Map<string, Slot>();
  #beat: Timer | undefined;

  /** `expired` is called after a lease ran out and its record was given back. */
  constructor(
    readonly session: Session,
    readonly expired: (held: Held) => void,
  ) {}

  get size(): number {
    return this.#slots.size;
  }

  find(seq: number): Held | undefined {
    for (const { held } of this.#slots.values()) if (held.delivered.seq === seq) return held;
    return undefined;
  }

  seqs(): Set<number> {
    return new Set([...this.#slots.values()].map(({ held }) => held.delivered.seq));
  }

  /** `heard`: the monotonic time when the fetch that brought it was sent. */
  add(held: Held, visibilityMs: number, heard: number): void {
    const until = this.session.clock.mono() + visibilityMs;
    this.#slots.set(held.token, { held, until, heard, expiry: this.#timer(held.token, visibilityMs) });
    this.#beat ??= this.#nextBeat();
  }

  /** Takes a lease out of the table, to settle it. Undefined: the token is worthless. */
  take(token: string): Held | undefined {
    const slot = this.#slots.get(token);
    if (!slot) return undefined;
    this.#remove(token, slot);
    return this.#isOurs(slot) ? slot.held : undefined;
  }

  extend(token: string, visibilityMs: number): boolean {
    const slot = this.#slots.get(token);
    if (!slot || !this.#isOurs(slot)) return false;
    slot.expiry.cancel();
    slot.until = this.session.clock.mono() + visibilityMs;
    slot.expiry = this.#timer(token, visibilityMs);
    this.#tellWorking(slot);
    return true;
  }

  /** All leases, taken out. */
  takeAll(): Held[] {
    const all = [...this.#slots.keys()].map((token) => this.take(token));
    return all.filter((held) => held !== undefined);
  }

  /** Forgets everything without a word, because the connection is gone. */
  clear(): void {
    for (const [token, slot] of this.#slots) this.#remove(token, slot);
  }

  /** A process that was frozen longer than the server's patience has lost its records, whatever its timers say. */
  #isOurs(slot: Slot): boolean {
    const now = this.session.clock.mono();
    return now < slot.until && now < slot.heard + this.session.places.holdMs;
  }

  #remove(token: string, slot: Slot): void {
    slot.expiry.cancel();
    this.#slots.delete(token);
    if (this.#slots.size > 0) return;
    this.#beat?.cancel();
    this.#beat = undefined;
  }

  #timer(token: string, ms: number): Timer {
    return this.session.clock.timer(ms, () => {
      const slot = this.#slots.get(token);
      if (!slot) return;
      this.#remove(token, slot);
      // When this fails, the record comes back when the server's patience ends.
      void giveBack(this.session, slot.held.delivered, 0)
        .catch(() => {})
        .then(() => this.expired(slot.held));
    });
  }

  #nextBeat(): Timer {
    return this.session.clock.timer(this.session.places.holdMs / 3, () => {
      for (const slot of this.#slots.values()) if (this.#isOurs(slot)) this.#tellWorking(slot);
      this.#beat = this.#slots.size > 0 ? this.#nextBeat() : undefined;
    });
  }

  #tellWorking(slot: Slot): void {
    slot.heard = this.session.clock.mono();
    stillWorking(this.session, slot.held.delivered);
  }
}
