import type { Attempt } from '../types';

const MOST_RECORDS = 1_000;
const MOST_ATTEMPTS = 20;

/**
 * Attempts of records that went back to the broker, which cannot add headers to a message in its queue. Kept by this
 * gateway only, and only the most recent.
 */
export class AttemptMemory {
  readonly #byId = new Map<string, readonly Attempt[]>();

  add(id: string, attempt: Attempt): void {
    const attempts = [...(this.#byId.get(id) ?? []), attempt].slice(-MOST_ATTEMPTS);
    this.#byId.delete(id);
    this.#byId.set(id, attempts);
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= MOST_RECORDS) break;
      this.#byId.delete(oldest);
    }
  }

  /** What came with the record and what this gateway added. */
  join(id: string, brought: readonly Attempt[]): readonly Attempt[] {
    return [...brought, ...(this.#byId.get(id) ?? [])].slice(-MOST_ATTEMPTS);
  }

  forget(id: string): void {
    this.#byId.delete(id);
  }
}
