import type { Clock, Timer } from '../../lib/core';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A clock that moves only when told. Wall time starts at 2026-01-01T00:00:00Z. */
export class VirtualClock implements Clock {
  #mono = 0;
  #wallOffset = Date.UTC(2026, 0, 1);
  #order = 0;
  readonly #entries = new Set<Entry>();

  readonly now = (): number => this.#mono + this.#wallOffset;
  readonly mono = (): number => this.#mono;

  readonly timer = (ms: number, fn: () => void): Timer => {
    const entry = { at: this.#mono + Math.max(0, ms), order: this.#order++, fn };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  };

  /** Timers that have not fired: zero when nothing leaks. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Moves wall time only, as an NTP correction or an operator does. */
  jump(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Moves time, firing what falls due in order and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#mono + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#mono = next.at;
      this.#entries.delete(next);
      next.fn();
      await settle();
    }
    this.#mono = end;
    await settle();
  }

  #next(end: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.at > end) continue;
      if (!first || entry.at < first.at || (entry.at === first.at && entry.order < first.order))
        first = entry;
    }
    return first;
  }
}

/** Lets every promise that can settle without I/O do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
