import type { Clock } from '../../core';
import type {
  Attempt,
  DeadFilter,
  DeadLetter,
  DeadLetterDetail,
  DeadLetters,
  DeadLimits,
  Entry,
  Source,
} from '../types';
import { badEntry, boundedHistory, checkEntry, checkName, closed } from './check';

/** What holds until somebody sets other limits. */
const DEFAULT_LIMITS: DeadLimits = { maxRecords: 50_000, maxBytes: 64 * 1024 * 1024, maxAgeMs: 0 };
const MOST_LISTED = 1_000;

interface Burial {
  readonly queue: string;
  readonly entry: Entry;
  readonly owner: Source;
  readonly history: readonly Attempt[];
  readonly reason: Attempt;
  readonly attempts: number;
}
interface Grave {
  readonly letter: DeadLetter;
  readonly body: Uint8Array;
  readonly history: readonly Attempt[];
  /** Running time of the burial. */
  readonly at: number;
}
/** Puts a letter back into its queue. */
type Return = (queue: string, entry: Entry, history: readonly Attempt[]) => void;

export class MemoryDeadLetters implements DeadLetters {
  readonly #clock: Clock;
  readonly #putBack: Return;
  readonly #graves = new Map<number, Grave>();
  readonly #perQueue = new Map<string, number>();
  readonly #listeners = new Set<(letter: DeadLetter) => void>();
  #limits = DEFAULT_LIMITS;
  #next = 1;
  #first = 1;
  #bytes = 0;
  #dropped = 0;
  #isClosed = false;

  constructor(clock: Clock, putBack: Return) {
    this.#clock = clock;
    this.#putBack = putBack;
  }

  bury({ queue, entry, owner, history, reason, attempts }: Burial): number {
    const { id, key, time, body } = entry;
    const { kind, code, message, at, source = owner } = reason;
    const number = this.#next;
    const times = { firstAt: history[0]?.at ?? at, lastAt: at };
    const facts = { queue, id, key, time, bytes: body.byteLength, attempts, kind, code, message, source };
    const letter: DeadLetter = { number, ...facts, ...times };
    this.#next += 1;
    this.#bytes += letter.bytes;
    this.#perQueue.set(queue, this.ofQueue(queue) + 1);
    this.#graves.set(number, { letter, body, history, at: this.#clock.mono() });
    this.#makeRoom();
    for (const listener of [...this.#listeners]) listener(letter);
    return number;
  }

  ofQueue(queue: string): number {
    return this.#perQueue.get(queue) ?? 0;
  }

  async list(
    filter: DeadFilter,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly DeadLetter[]> {
    this.#check();
    const found: DeadLetter[] = [];
    const limit = Math.min(MOST_LISTED, Math.floor(page.limit));
    if (!(limit >= 1)) return found;
    for (const { letter } of this.#each(filter, page.after + 1)) if (found.push(letter) >= limit) break;
    return found;
  }

  async get(number: number): Promise<DeadLetterDetail | undefined> {
    this.#check();
    const grave = this.#graves.get(number);
    return grave && { ...grave.letter, body: new Uint8Array(grave.body), history: grave.history };
  }

  async add(
    queue: string,
    entry: Entry,
    owner: Source,
    history: readonly Attempt[],
    attempts: number,
  ): Promise<number> {
    this.#check();
    checkName(queue);
    checkEntry(entry);
    const kept = boundedHistory(history);
    const reason = kept.at(-1);
    if (!reason) throw badEntry('A dead letter needs the attempt that failed.');
    const own = { ...entry, body: new Uint8Array(entry.body) };
    return this.bury({ queue, entry: own, owner, history: kept, reason, attempts });
  }

  async replay(filter: DeadFilter, body?: Uint8Array): Promise<number> {
    this.#check();
    if (body && filter.numbers?.length !== 1)
      throw badEntry('An edited message replaces exactly one dead letter; name its number.');
    const found = [...this.#each(filter, 0)];
    for (const grave of found) {
      const { queue, id, key, time } = grave.letter;
      this.#remove(grave);
      this.#putBack(queue, { id, key, time, body: body ?? grave.body }, grave.history);
    }
    return found.length;
  }

  async purge(filter: DeadFilter): Promise<number> {
    this.#check();
    const found = [...this.#each(filter, 0)];
    for (const grave of found) this.#remove(grave);
    return found.length;
  }

  async stats(): Promise<{ readonly records: number; readonly bytes: number; readonly dropped: number }> {
    this.#check();
    return { records: this.#graves.size, bytes: this.#bytes, dropped: this.#dropped };
  }

  async limit(limits: DeadLimits): Promise<void> {
    this.#check();
    const { maxRecords, maxBytes, maxAgeMs } = limits;
    this.#limits = { maxRecords, maxBytes, maxAgeMs };
    this.#makeRoom();
  }

  onAdded(fn: (letter: DeadLetter) => void): () => void {
    const own = (letter: DeadLetter): void => fn(letter);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  stop(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    this.#graves.clear();
  }

  /** Old ones leave when somebody looks: nobody can tell the difference. */
  #check(): void {
    if (this.#isClosed) throw closed('The store of the dead letters');
    this.#makeRoom();
  }

  *#each(filter: DeadFilter, from: number): Generator<Grave> {
    const numbers = filter.numbers && new Set(filter.numbers);
    for (let number = Math.max(from, this.#first); number < this.#next; number += 1) {
      const grave = this.#graves.get(number);
      if (grave && (!numbers || numbers.has(number)) && matches(grave.letter, filter)) yield grave;
    }
  }

  #remove({ letter }: Grave): void {
    if (!this.#graves.delete(letter.number)) return;
    this.#bytes -= letter.bytes;
    const left = this.ofQueue(letter.queue) - 1;
    if (left > 0) this.#perQueue.set(letter.queue, left);
    else this.#perQueue.delete(letter.queue);
  }

  #makeRoom(): void {
    const { maxRecords, maxBytes, maxAgeMs } = this.#limits;
    for (; this.#first < this.#next; this.#first += 1) {
      const oldest = this.#graves.get(this.#first);
      if (!oldest) continue;
      const isMany = maxRecords > 0 && this.#graves.size > maxRecords;
      const isLarge = maxBytes > 0 && this.#bytes > maxBytes;
      const isOld = maxAgeMs > 0 && this.#clock.mono() - oldest.at >= maxAgeMs;
      if (!isMany && !isLarge && !isOld) return;
      this.#remove(oldest);
      this.#dropped += 1;
    }
  }
}

function matches(letter: DeadLetter, filter: DeadFilter): boolean {
  const { queue, node, code, kind, id, key, since, before } = filter;
  return (
    (queue === undefined || letter.queue === queue) &&
    (node === undefined || letter.source.node === node) &&
    (code === undefined || letter.code === code) &&
    (kind === undefined || letter.kind === kind) &&
    (id === undefined || letter.id === id) &&
    (key === undefined || letter.key === key) &&
    (since === undefined || letter.lastAt >= since) &&
    (before === undefined || letter.lastAt < before)
  );
}
