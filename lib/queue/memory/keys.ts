import type { Clock } from '../../core';
import type { KeyMemory, KeyMemoryOptions } from '../types';

/** Keys in memory, oldest first. */
export class MemoryKeys implements KeyMemory {
  readonly #clock: Clock;
  readonly #options: KeyMemoryOptions;
  readonly #claimed = new Map<string, number>();

  constructor(clock: Clock, options: KeyMemoryOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  claim(key: string): Promise<boolean> {
    this.#trim(0);
    if (this.#claimed.has(key)) return Promise.resolve(false);
    this.#trim(1);
    this.#claimed.set(key, this.#clock.mono());
    return Promise.resolve(true);
  }

  forget(key: string): Promise<void> {
    this.#claimed.delete(key);
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.#claimed.clear();
    return Promise.resolve();
  }

  size(): Promise<number> {
    this.#trim(0);
    return Promise.resolve(this.#claimed.size);
  }

  #trim(room: number): void {
    const now = this.#clock.mono();
    for (const [key, at] of this.#claimed) {
      if (this.#claimed.size + room <= this.#options.maxKeys && now - at < this.#options.windowMs) return;
      this.#claimed.delete(key);
    }
  }
}
