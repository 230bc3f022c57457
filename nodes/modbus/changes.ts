import type { Reading } from '../../lib/core';

export interface ChangeOptions {
  readonly mode: 'none' | 'absolute' | 'percent';
  /** Change of a number that counts, in its own unit or in percent of the last value sent. */
  readonly deadband: number;
  /** A value that has not been sent for this long is sent again; 0 never. Milliseconds. */
  readonly heartbeatMs: number;
}

interface Sent {
  readonly reading: Reading;
  readonly at: number;
}

/** Lets readings through that differ from what was sent last. */
export class ChangeFilter {
  readonly #options: ChangeOptions;
  readonly #sent = new Map<string, Sent>();

  constructor(options: ChangeOptions) {
    this.#options = options;
  }

  /** `now` is monotonic milliseconds. */
  pass(readings: readonly Reading[], now: number): Reading[] {
    return readings.filter((reading) => {
      const last = this.#sent.get(reading.tag);
      if (last && !this.#due(last, now) && !this.#changed(last.reading, reading)) return false;
      this.#sent.set(reading.tag, { reading, at: now });
      return true;
    });
  }

  #due(last: Sent, now: number): boolean {
    return this.#options.heartbeatMs > 0 && now - last.at >= this.#options.heartbeatMs;
  }

  #changed(last: Reading, next: Reading): boolean {
    if (last.quality !== next.quality || last.status !== next.status) return true;
    const { value: from } = last;
    const { value: to } = next;
    if (typeof from === 'number' && typeof to === 'number') return this.#moved(from, to);
    if (Array.isArray(from) && Array.isArray(to)) {
      return from.length !== to.length || from.some((one, i) => one !== to[i]);
    }
    return from !== to;
  }

  #moved(from: number, to: number): boolean {
    const { mode, deadband } = this.#options;
    if (from === to) return false;
    if (mode === 'none') return true;
    const band = mode === 'absolute' ? deadband : (Math.abs(from) * deadband) / 100;
    return Math.abs(to - from) > band;
  }
}
