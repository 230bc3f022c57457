/** One queue as its users see it. */
import { Failure } from '../../core';
import type {
  Attempt,
  Entry,
  Leased,
  LeaseOptions,
  PutResult,
  Queue,
  QueueListener,
  QueueOptions,
  QueueStats,
  RecordSummary,
  DeadFilter,
} from '../types';
import type { Courier } from './courier';
import { badEntry, unavailable } from './failures';
import { readHead } from './frame';
import { type Answer, FACTS, type LeaseAnswer, type Settle, type Tidings } from './protocol';

/** Characters of an attempt's sentence that are kept. */
const LONGEST_MESSAGE = 1000;
const MOST_ATTEMPTS = 20;
const MOST_LEASED = 10_000;
/** Less than what may wait for the disk. */
const LARGEST_BODY = 32 * 1024 * 1024;
const MOST_INSPECTED = 1000;
const BROKEN_TEXT = /\p{Surrogate}/u;

export class FileQueue implements Queue {
  readonly name: string;
  readonly options: QueueOptions;
  readonly handle: number;
  readonly #courier: Courier;
  readonly #gone: (queue: FileQueue) => void;
  readonly #listeners = new Set<QueueListener>();
  #queue = -1;
  #prefix = '';
  #closed: Promise<void> | undefined;
  readonly #full = (): Failure =>
    new Failure(
      'transient',
      'QUEUE_FULL',
      `Queue ${this.name} holds as much as its limits allow; the message was not stored. Check why it is not taken from, or raise the limits.`,
      { reached: false },
    );

  constructor(
    courier: Courier,
    name: string,
    options: QueueOptions,
    handle: number,
    gone: (queue: FileQueue) => void,
  ) {
    this.#courier = courier;
    this.name = name;
    this.options = options;
    this.handle = handle;
    this.#gone = gone;
  }

  get id(): number {
    return this.#queue;
  }

  /** The queue exists in the file now; tokens of before are worthless if the file was opened anew. */
  opened({ queue, epoch }: Answer<'open'>): void {
    this.#queue = queue;
    this.#prefix = `${epoch}.${queue}.`;
  }

  put(entry: Entry): Promise<PutResult> {
    return attempt(() => {
      checkEntry(entry);
      this.#check();
      const history = entry.history && entry.history.length > 0 ? attemptsText(entry.history) : '';
      return this.#courier.draft(entry.body.byteLength).put(this.#queue, entry, history, this.#full);
    });
  }

  async lease(options: LeaseOptions): Promise<readonly Leased[]> {
    this.#check();
    const max = Math.min(MOST_LEASED, Math.floor(options.max));
    if (!(max >= 1)) return [];
    const perKey = Math.max(1, Math.floor(options.perKey));
    const visibilityMs = Math.max(0, options.visibilityMs);
    const ask = { queue: this.#queue, handle: this.handle, max, perKey, visibilityMs };
    const answer = await this.#courier.ask('lease', ask);
    return answer ? this.#unpack(answer) : [];
  }

  acknowledge(token: string): Promise<boolean> {
    return attempt(() => {
      this.#check();
      const found = this.#read(token);
      if (!found) return Promise.resolve(false);
      return this.#courier.ending().acknowledge(found.queue, found.seq, found.no);
    });
  }

  async reject(token: string, failed: Attempt | undefined, delayMs: number): Promise<boolean> {
    this.#check();
    const found = this.#read(token);
    const text = failed && JSON.stringify(bounded(failed));
    return found ? this.#courier.ask('reject', { ...found, attempt: text, delayMs }) : false;
  }

  async release(token: string): Promise<boolean> {
    this.#check();
    const found = this.#read(token);
    return found ? this.#courier.ask('release', found) : false;
  }

  async extend(token: string, visibilityMs: number): Promise<boolean> {
    this.#check();
    const found = this.#read(token);
    return found ? this.#courier.ask('extend', { ...found, visibilityMs }) : false;
  }

  async deadLetter(token: string, failed: Attempt): Promise<boolean> {
    this.#check();
    const found = this.#read(token);
    return found ? this.#courier.ask('bury', { ...found, attempt: JSON.stringify(bounded(failed)) }) : false;
  }

  async inspect(page: { readonly after: number; readonly limit: number }): Promise<readonly RecordSummary[]> {
    this.#check();
    const limit = Math.min(MOST_INSPECTED, Math.floor(page.limit));
    if (!(limit >= 1)) return [];
    return this.#courier.ask('inspect', { queue: this.#queue, after: page.after, limit });
  }

  async stats(): Promise<QueueStats> {
    this.#check();
    return this.#courier.ask('stats', { queue: this.#queue });
  }

  async replay(filter: DeadFilter): Promise<number> {
    this.#check();
    if (filter.queue !== undefined && filter.queue !== this.name) return 0;
    return this.#courier.ask('deadReplay', { filter: { ...filter, queue: this.name }, body: undefined });
  }

  async purge(): Promise<number> {
    this.#check();
    return this.#courier.ask('purge', { queue: this.#queue });
  }

  listen(listener: QueueListener): () => void {
    // A wrapper, so that the same listener may be added twice.
    const own = { ...listener };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  tell({ ready, droppedFull, droppedOld, died }: Tidings): void {
    for (const listener of this.#listeners) {
      if (droppedFull > 0) listener.dropped?.(droppedFull, 'full');
      if (droppedOld > 0) listener.dropped?.(droppedOld, 'old');
      if (died > 0) listener.died?.(died);
      if (ready) listener.ready?.();
    }
  }

  trouble(sentence: string | undefined): void {
    for (const listener of this.#listeners) {
      listener.trouble?.(sentence);
      if (sentence === undefined) listener.ready?.();
    }
  }

  async #close(): Promise<void> {
    this.#gone(this);
    try {
      await this.#courier.ask('close', { queue: this.#queue, handle: this.handle });
    } catch {
      // A store that is closed or in trouble gives its leases back when the file is opened again.
    }
    this.#listeners.clear();
  }

  #check(): void {
    if (this.#closed) throw unavailable(`Queue ${this.name} has been closed here.`);
  }

  #read(token: string): Settle | undefined {
    if (typeof token !== 'string' || !token.startsWith(this.#prefix)) return undefined;
    const dot = token.indexOf('.', this.#prefix.length);
    const seq = Number(token.slice(this.#prefix.length, dot));
    const no = Number(token.slice(dot + 1));
    return dot > 0 && Number.isSafeInteger(seq) && Number.isSafeInteger(no)
      ? { queue: this.#queue, seq, no }
      : undefined;
  }

  #unpack({ data, facts, histories }: LeaseAnswer): Leased[] {
    const all = Buffer.from(data);
    const leased: Leased[] = [];
    let at = 0;
    for (let i = 0; i < facts.length; i += FACTS) {
      const end = at + (facts[i + 3] as number);
      const { id, key, time, length } = readHead(all.subarray(at, end));
      const history = histories?.[i / FACTS];
      leased.push({
        entry: { id, key, time, body: new Uint8Array(data, at + length, end - at - length) },
        token: `${this.#prefix}${facts[i] as number}.${facts[i + 1] as number}`,
        delivery: facts[i + 2] as number,
        history: history === undefined ? [] : (JSON.parse(history) as Attempt[]),
      });
      at = end;
    }
    return leased;
  }
}

export function checkEntry({ id, key, time, body }: Entry): void {
  if (typeof id !== 'string' || id.length < 1 || id.length > 200 || BROKEN_TEXT.test(id)) {
    throw badEntry('The id of a message to store must be a text of 1 to 200 characters.');
  }
  if (typeof key !== 'string' || key.length > 200 || (key !== '' && BROKEN_TEXT.test(key))) {
    throw badEntry('The order key of a message to store must be a text of at most 200 characters.');
  }
  if (typeof time !== 'number' || !Number.isFinite(time)) {
    throw badEntry('The time of a message to store must be a number of milliseconds since 1970.');
  }
  if (!(body instanceof Uint8Array) || body.byteLength > LARGEST_BODY) {
    throw badEntry(`The body of a message to store must be at most ${LARGEST_BODY >> 20} MiB.`);
  }
}

/** Attempts as they are stored: the newest, with bounded sentences. */
export function attemptsText(history: readonly Attempt[]): string {
  return JSON.stringify(history.slice(-MOST_ATTEMPTS).map(bounded));
}

function bounded(failed: Attempt): Attempt {
  return failed.message.length <= LONGEST_MESSAGE
    ? failed
    : { ...failed, message: `${failed.message.slice(0, LONGEST_MESSAGE)}…` };
}

/** A throw before the promise exists becomes its rejection, without the cost of an async function. */
function attempt<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return fn();
  } catch (error) {
    return Promise.reject(error);
  }
}
