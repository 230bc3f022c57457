import type { DeadFilter, DeadLetter, DeadLetterDetail, DeadLetters, DeadLimits } from '../types';
import type { Attempt, Entry, Source } from '../types';
import { Failure, type Clock } from '../../core';

interface Letter extends DeadLetterDetail {
  /** Running time at which it came. */
  readonly cameAt: number;
}

/** Dead letters in memory. */
export class MemoryDeadLetters implements DeadLetters {
  readonly #clock: Clock;
  readonly #putBack: (queue: string, entry: Entry) => void;
  readonly #letters = new Map<number, Letter>();
  readonly #listeners = new Set<(letter: DeadLetter) => void>();
  #limits: DeadLimits = { maxRecords: 100_000, maxBytes: 256 * 1024 * 1024, maxAgeMs: 0 };
  #last = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(clock: Clock, putBack: (queue: string, entry: Entry) => void) {
    this.#clock = clock;
    this.#putBack = putBack;
  }

  count(queue: string): number {
    return this.#find({ queue }).length;
  }

  /** The one way in: from a queue, or from a node that failed. */
  bury(
    queue: string,
    { id, key, time, body }: Entry,
    owner: Source,
    history: readonly Attempt[],
    attempts: number,
  ): number {
    const last = history.at(-1);
    const now = this.#clock.now();
    this.#last += 1;
    const letter: Letter = {
      number: this.#last,
      queue,
      id,
      key,
      time,
      bytes: body.length,
      attempts,
      firstAt: history[0]?.at ?? now,
      lastAt: last?.at ?? now,
      kind: last?.kind ?? 'rejected',
      code: last?.code ?? 'DELIVERIES_EXHAUSTED',
      message: last?.message ?? 'The message was given up.',
      source: last?.source ?? owner,
      body,
      history: history.slice(-20),
      cameAt: this.#clock.mono(),
    };
    this.#letters.set(letter.number, letter);
    this.#bytes += letter.bytes;
    this.#trim();
    for (const listener of this.#listeners) listener(summary(letter));
    return letter.number;
  }

  list(filter: DeadFilter, page: { after: number; limit: number }): Promise<readonly DeadLetter[]> {
    const found = this.#find(filter).filter(({ number }) => number > page.after);
    return Promise.resolve(found.slice(0, page.limit).map(summary));
  }

  get(number: number): Promise<DeadLetterDetail | undefined> {
    this.#trim();
    const letter = this.#letters.get(number);
    return Promise.resolve(letter && { ...summary(letter), body: letter.body, history: letter.history });
  }

  add(
    queue: string,
    entry: Entry,
    owner: Source,
    history: readonly Attempt[],
    attempts: number,
  ): Promise<number> {
    return Promise.resolve(this.bury(queue, entry, owner, history, attempts));
  }

  replay(filter: DeadFilter, body?: Uint8Array): Promise<number> {
    if (body && filter.numbers?.length !== 1) {
      const sentence = 'An edited message replaces exactly one dead letter; name its number alone.';
      return Promise.reject(new Failure('rejected', 'BAD_MESSAGE', sentence, { reached: false }));
    }
    const found = this.#find(filter);
    for (const letter of found) {
      this.#remove(letter);
      const { id, key, time, history } = letter;
      this.#putBack(letter.queue, { id, key, time, body: body ?? letter.body, history });
    }
    return Promise.resolve(found.length);
  }

  purge(filter: DeadFilter): Promise<number> {
    const found = this.#find(filter);
    for (const letter of found) this.#remove(letter);
    return Promise.resolve(found.length);
  }

  stats(): Promise<{ readonly records: number; readonly bytes: number; readonly dropped: number }> {
    this.#trim();
    return Promise.resolve({ records: this.#letters.size, bytes: this.#bytes, dropped: this.#dropped });
  }

  limit(limits: DeadLimits): Promise<void> {
    this.#limits = limits;
    this.#trim();
    return Promise.resolve();
  }

  onAdded(fn: (letter: DeadLetter) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  #find(filter: DeadFilter): Letter[] {
    this.#trim();
    return [...this.#letters.values()].filter((letter) => fits(filter, letter));
  }

  #remove(letter: Letter): void {
    this.#letters.delete(letter.number);
    this.#bytes -= letter.bytes;
  }

  #trim(): void {
    const { maxRecords, maxBytes, maxAgeMs } = this.#limits;
    const now = this.#clock.mono();
    for (const letter of this.#letters.values()) {
      const full = this.#letters.size > maxRecords || this.#bytes > maxBytes;
      if (!full && !(maxAgeMs > 0 && now - letter.cameAt >= maxAgeMs)) return;
      this.#remove(letter);
      this.#dropped += 1;
    }
  }
}

function summary({ body: _body, history: _history, cameAt: _cameAt, ...letter }: Letter): DeadLetter {
  return letter;
}

function fits(filter: DeadFilter, letter: Letter): boolean {
  const { numbers, node, since, before, ...same } = filter;
  if (numbers && !numbers.includes(letter.number)) return false;
  if (node !== undefined && letter.source.node !== node) return false;
  if (since !== undefined && letter.lastAt < since) return false;
  if (before !== undefined && letter.lastAt >= before) return false;
  return Object.entries(same).every(([name, value]) => value === undefined || letter[name as 'id'] === value);
}
