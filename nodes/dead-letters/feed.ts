/** Sends each new dead letter once: remembers the last one on disk, and goes on from there. */
import { toFailure, type Clock, type Log, type Message, type Scope, type StateStore } from '../../lib/core';
import type { DeadLetter, DeadLetters } from '../../lib/queue/types';
import { letterMessage } from './letter';

export interface FeedParts {
  readonly dead: DeadLetters;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
  /** After its end `emit` does nothing: what was not sent before is sent after the next start. */
  readonly scope: Scope;
  readonly chosen: (letter: DeadLetter) => boolean;
  readonly perSecond: number;
  readonly emit: (msg: Message) => void;
  /** Called at the start and after letters came. */
  readonly looked: () => Promise<void>;
}

const SECOND_MS = 1000;
const PAGE = 500;
/** As Node-RED's inject node: the nodes behind this one may still be starting. */
const FIRST_LOOK_MS = 100;
/** After the store could not be read. */
const RETRY_MS = 5000;

export class Feed {
  readonly #parts: FeedParts;
  /** Number of the last letter that was sent or passed over. */
  #last = 0;
  #saved = 0;
  /** Letters were added since the last look. */
  #news = true;
  #anew = false;
  /** The store could not be read, and the log says so. */
  #troubled = false;
  #wake: () => void = () => {};
  readonly #off: () => void;
  #running: Promise<void> = Promise.resolve();

  private constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#off = parts.dead.onAdded(({ number }) => this.#added(number));
  }

  /** A node that is new begins with the letters to come; one that was stopped goes on where it was. */
  static async start(parts: FeedParts): Promise<Feed> {
    const feed = new Feed(parts);
    try {
      const saved = lastOf(await parts.store.load());
      feed.#last = saved ?? (await newest(parts.dead));
      if (saved === undefined) await parts.store.save({ last: feed.#last });
      feed.#saved = feed.#last;
    } catch (error) {
      feed.#off();
      throw error;
    }
    feed.#running = feed.#run();
    return feed;
  }

  /** The scope has ended; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#off();
    this.#wake();
    await this.#running;
  }

  #added(number: number): void {
    // Numbers rise: one that does not comes from a store that was made anew.
    if (number <= this.#saved) this.#anew = true;
    this.#news = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    const { scope, looked } = this.#parts;
    await this.#pause(FIRST_LOOK_MS);
    while (!scope.aborted) {
      try {
        this.#news = false;
        const pause = await this.#page();
        await looked();
        this.#troubled = false;
        if (pause > 0) await this.#pause(pause);
        else if (!this.#news) await this.#change();
      } catch (error) {
        if (scope.aborted) return;
        this.#news = true;
        this.#warn(toFailure(error).message);
        await this.#pause(RETRY_MS);
      }
    }
  }

  #warn(why: string): void {
    if (!this.#troubled) this.#parts.log.warn(`New dead letters cannot be sent now: ${why}`);
    this.#troubled = true;
  }

  /** Sends one page's worth. Returns how long the rate limit asks to wait; 0 when there was nothing to send. */
  async #page(): Promise<number> {
    const { dead, chosen, scope, perSecond } = this.#parts;
    const limit = Math.min(PAGE, perSecond);
    if (this.#anew) this.#last = 0;
    this.#anew = false;
    const page = await dead.list({}, { after: this.#last, limit });
    if (page.length === limit) this.#news = true;
    let sent = 0;
    for (const letter of page) {
      if (chosen(letter)) sent += await this.#send(letter.number);
      if (scope.aborted) break;
      this.#last = letter.number;
    }
    await this.#save();
    return (sent * SECOND_MS) / perSecond;
  }

  async #send(number: number): Promise<number> {
    const { dead, scope, emit } = this.#parts;
    const letter = await dead.get(number);
    // Replayed or removed since it was listed.
    if (!letter || scope.aborted) return 0;
    emit(letterMessage(letter));
    this.#last = number;
    return 1;
  }

  async #save(): Promise<void> {
    if (this.#last === this.#saved) return;
    const last = this.#last;
    await this.#parts.store.save({ last });
    this.#saved = last;
  }

  #pause(ms: number): Promise<void> {
    const { clock, scope } = this.#parts;
    if (scope.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        off();
        resolve();
      };
      const timer = clock.timer(ms, end);
      const off = scope.onAbort(end);
    });
  }

  #change(): Promise<void> {
    if (this.#parts.scope.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

async function newest(dead: DeadLetters): Promise<number> {
  for (let last = 0; ;) {
    const page = await dead.list({}, { after: last, limit: PAGE });
    last = page.at(-1)?.number ?? last;
    if (page.length < PAGE) return last;
  }
}

function lastOf(saved: unknown): number | undefined {
  const last = (saved as { last?: unknown } | null | undefined)?.last;
  return typeof last === 'number' && Number.isSafeInteger(last) && last >= 0 ? last : undefined;
}
