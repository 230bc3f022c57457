import type { QueueListener } from '../types';

/** The listeners of one queue. */
export class Listeners {
  readonly #all = new Set<QueueListener>();

  add(listener: QueueListener): () => void {
    const own = { ...listener };
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  ready(): void {
    for (const one of [...this.#all]) one.ready?.();
  }

  died(count: number): void {
    for (const one of [...this.#all]) one.died?.(count);
  }

  dropped(count: number): void {
    for (const one of [...this.#all]) one.dropped?.(count, 'full');
  }

  trouble(sentence: string | undefined): void {
    for (const one of [...this.#all]) one.trouble?.(sentence);
  }

  clear(): void {
    this.#all.clear();
  }
}
