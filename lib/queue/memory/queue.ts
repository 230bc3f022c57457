import type {
  Attempt,
  DeadFilter,
  DeadLetters,
  Entry,
  Leased,
  LeaseOptions,
  PutResult,
  Queue,
  QueueListener,
  QueueStats,
  RecordSummary,
} from '../types';
import { boundedHistory, checkEntry, closed } from './check';
import type { Held } from './record';
import type { Shelf } from './shelf';

const MOST_LEASED = 10_000;
const MOST_INSPECTED = 1_000;
const TOKEN = /^([1-9]\d{0,15})\.([1-9]\d{0,15})$/;

/** One user's handle of a queue in memory. */
export class MemoryQueue implements Queue {
  readonly #shelf: Shelf;
  readonly #dead: DeadLetters;
  readonly #handle: number;
  readonly #listeners = new Set<QueueListener>();
  #isClosed = false;

  constructor(shelf: Shelf, dead: DeadLetters, handle: number) {
    this.#shelf = shelf;
    this.#dead = dead;
    this.#handle = handle;
  }

  get name(): string {
    return this.#shelf.name;
  }

  async put(entry: Entry): Promise<PutResult> {
    this.#check();
    checkEntry(entry);
    return this.#shelf.put(entry);
  }

  async lease(options: LeaseOptions): Promise<readonly Leased[]> {
    this.#check();
    const max = Math.min(MOST_LEASED, Math.floor(options.max));
    if (!(max >= 1)) return [];
    const perKey = Math.max(1, Math.floor(options.perKey));
    return this.#shelf.lease(max, perKey, Math.max(0, options.visibilityMs), this.#handle).map(toLeased);
  }

  async acknowledge(token: string): Promise<boolean> {
    return this.#settle(token, (record) => this.#shelf.acknowledge(record));
  }

  async reject(token: string, attempt: Attempt | undefined, delayMs: number): Promise<boolean> {
    return this.#settle(token, (record) => this.#shelf.fail(record, bounded(attempt), delayMs));
  }

  async release(token: string): Promise<boolean> {
    return this.#settle(token, (record) => this.#shelf.release(record));
  }

  async extend(token: string, visibilityMs: number): Promise<boolean> {
    return this.#settle(token, (record) => this.#shelf.extend(record, Math.max(0, visibilityMs)));
  }

  async deadLetter(token: string, attempt: Attempt): Promise<boolean> {
    return this.#settle(token, (record) => this.#shelf.bury(record, bounded(attempt) ?? attempt));
  }

  async inspect(page: { readonly after: number; readonly limit: number }): Promise<readonly RecordSummary[]> {
    this.#check();
    const found: RecordSummary[] = [];
    const limit = Math.min(MOST_INSPECTED, Math.floor(page.limit));
    if (!(limit >= 1)) return found;
    for (const record of this.#shelf.each(page.after + 1)) if (found.push(toSummary(record)) >= limit) break;
    return found;
  }

  async stats(): Promise<QueueStats> {
    this.#check();
    return this.#shelf.stats();
  }

  async replay(filter: DeadFilter): Promise<number> {
    this.#check();
    if (filter.queue !== undefined && filter.queue !== this.name) return 0;
    return this.#dead.replay({ ...filter, queue: this.name });
  }

  async purge(): Promise<number> {
    this.#check();
    return this.#shelf.purge();
  }

  listen(listener: QueueListener): () => void {
    // A wrapper, so that the same listener may be added twice.
    const own: QueueListener = {
      ready: () => listener.ready?.(),
      dropped: (count, reason) => listener.dropped?.(count, reason),
      died: (count) => listener.died?.(count),
    };
    const forget = (): void => {
      this.#listeners.delete(own);
      this.#shelf.listeners.delete(own);
    };
    if (this.#isClosed) return forget;
    this.#listeners.add(own);
    this.#shelf.listeners.add(own);
    return forget;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const own of this.#listeners) this.#shelf.listeners.delete(own);
    this.#shelf.releaseAll(this.#handle);
  }

  #check(): void {
    if (this.#isClosed) throw closed(`Queue ${this.name}`);
  }

  #settle(token: string, act: (record: Held) => void): boolean {
    this.#check();
    const [, seq, lease] = TOKEN.exec(token) ?? [];
    const record = this.#shelf.leased(Number(seq), Number(lease));
    if (record) act(record);
    return record !== undefined;
  }
}

function bounded(attempt: Attempt | undefined): Attempt | undefined {
  return attempt && boundedHistory([attempt])[0];
}

function toLeased({ seq, lease, id, key, time, body, delivery, history }: Held): Leased {
  const entry = { id, key, time, body: new Uint8Array(body) };
  return { entry, token: `${seq}.${lease}`, delivery, history };
}

function toSummary({ seq, id, key, time, body, delivery, state }: Held): RecordSummary {
  const is = state === 'gone' ? 'waiting' : state;
  return { position: seq, id, key, time, bytes: body.byteLength, delivery, state: is };
}
