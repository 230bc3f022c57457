interface Waiter {
  readonly go: () => void;
  state: 'waiting' | 'granted' | 'gone';
}

/**
 * A first-in, first-out line. A granted waiter runs in a microtask, so that a long line never becomes a deep stack;
 * one that cancels in between gives back what it was granted.
 */
export class Waiters {
  readonly #line = new Set<Waiter>();
  readonly #giveBack: () => void;

  constructor(giveBack: () => void = () => {}) {
    this.#giveBack = giveBack;
  }

  get size(): number {
    return this.#line.size;
  }

  /** Joins the line. Returns the function that leaves it. */
  add(go: () => void): () => void {
    const waiter: Waiter = { go, state: 'waiting' };
    this.#line.add(waiter);
    return () => this.#cancel(waiter);
  }

  /** Grants the first in line; false when nobody waits. */
  grant(): boolean {
    for (const waiter of this.#line) {
      this.#line.delete(waiter);
      waiter.state = 'granted';
      queueMicrotask(() => {
        if (waiter.state !== 'granted') return;
        waiter.state = 'gone';
        waiter.go();
      });
      return true;
    }
    return false;
  }

  #cancel(waiter: Waiter): void {
    const granted = waiter.state === 'granted';
    waiter.state = 'gone';
    this.#line.delete(waiter);
    if (granted) this.#giveBack();
  }
}
