import { systemClock, type Clock, type Timer } from '../../../lib/core';

interface Entry {
  readonly at: number;
  readonly run: () => void;
}

/** Real time that can also be skipped: for stores whose server lives in real time while leases end here. */
export class SkipClock implements Clock {
  #skipped = 0;
  readonly #entries = new Set<Entry>();

  readonly now = (): number => systemClock.now();
  readonly mono = (): number => systemClock.mono() + this.#skipped;

  readonly timer = (ms: number, fn: () => void): Timer => {
    const cancel = (): void => {
      real.cancel();
      this.#entries.delete(entry);
    };
    const run = (): void => {
      cancel();
      fn();
    };
    const entry = { at: this.mono() + ms, run };
    const real = systemClock.timer(ms, run);
    this.#entries.add(entry);
    return { cancel };
  };

  /** What falls due in the time that is skipped happens now, in its order. */
  skip(ms: number): void {
    const end = this.mono() + ms;
    for (;;) {
      const due = [...this.#entries].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#skipped += Math.max(0, due.at - this.mono());
      due.run();
    }
    this.#skipped += Math.max(0, end - this.mono());
  }
}
