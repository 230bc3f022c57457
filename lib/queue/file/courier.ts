/**
 * Carries what callers ask to the thread that owns the file, in batches that are committed together: while one is
 * being written the next collects. Deals with a disk in trouble and with the end of the thread.
 */
import type { Worker } from 'node:worker_threads';
import type { Clock, Log, Timer } from '../../core';
import type { DeadLetter } from '../types';
import { Draft, type Slot } from './draft';
import { failureOf, unavailable } from './failures';
import type { Answer, Ask, Operation, Reply, Tidings, Trouble } from './protocol';
import { Thread } from './thread';

/** Batches under way: the thread always finds the next one when it has committed the last. */
const UNDER_WAY = 2;
/** Most bytes of records that wait for the disk. */
const MOST_WAITING = 64 * 1024 * 1024;
const PROBE_MS = 5000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
/** How soon after work space is given back, if there is nothing else to do then. */
const TIDY_MS = 1000;
/** Between two steps of that. */
const NEXT_STEP_MS = 20;
/** How often running time is noted although nothing else happens. */
const NOTE_TIME_MS = 60_000;

export interface FileStoreOptions {
  /** The database file, such as `<user directory>/holdfast/queues.db`. Its folder is made when it is missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Told each thread that is started: a test can end it, as a crash would. */
  readonly started?: (worker: Worker) => void;
}

export interface CourierEvents {
  tidings(tidings: readonly Tidings[]): void;
  letters(letters: readonly DeadLetter[]): void;
  trouble(sentence: string | undefined): void;
  /** A new thread has the file: everything must be opened again. */
  restarted(): Promise<void>;
}

export class Courier {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: CourierEvents;
  readonly #started: ((worker: Worker) => void) | undefined;
  #thread: Thread;
  /** The batch that collects, behind those that are full. */
  #drafts: Draft[] = [];
  #underWay = 0;
  #waitingBytes = 0;
  #scheduled = false;
  #trouble: string | undefined;
  #closed = false;
  /** Running time minus monotonic time. */
  #offset = 0;
  #due: { readonly at: number; readonly timer: Timer } | undefined;
  #tidy: { readonly at: number; readonly timer: Timer } | undefined;
  #retry: Timer | undefined;
  #deaths = 0;
  /** A new thread that has not opened again what was open. */
  #fresh = false;
  #idle: (() => void)[] = [];
  /** Whether somebody listens to dead letters. */
  letters = false;

  constructor({ path, clock, log, started }: FileStoreOptions, events: CourierEvents) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#started = started;
    this.#events = events;
    this.#thread = this.#startThread();
  }

  /** Throws the Failure that says why the file cannot be used. */
  async start(): Promise<void> {
    const reply = await this.#thread.ask({ do: 'start', path: this.#path });
    this.#write(reply);
    if (reply.trouble) {
      await this.#thread.end();
      throw failureOf(this.#path, reply.trouble);
    }
    this.#offset = (reply.running ?? 0) - this.#clock.mono();
    this.#tidyIn(NOTE_TIME_MS);
  }

  /** The batch for what a caller asks now, with a body of so many bytes. Throws when it cannot be carried out. */
  draft(bytes = 0): Draft {
    this.#check();
    if (bytes > 0 && this.#waitingBytes + bytes > MOST_WAITING) {
      throw unavailable(
        `More than ${MOST_WAITING >> 20} MiB wait to be written to ${this.#path}; the disk is slower than what arrives.`,
      );
    }
    this.#waitingBytes += bytes;
    return this.#current();
  }

  /** The batch for an acknowledgement: the next one that is sent and has room. */
  ending(): Draft {
    this.#check();
    return this.#drafts.find(({ takesEnds }) => takesEnds) ?? this.#current();
  }

  #check(): void {
    if (this.#closed) throw unavailable(`The queue file ${this.#path} has been closed.`);
    if (this.#trouble !== undefined) throw unavailable(this.#trouble);
  }

  ask<O extends Operation>(op: O, ask: Ask<O>): Promise<Answer<O>> {
    return this.draft().add(op, ask);
  }

  /** Resolves when everything asked before is answered. */
  async settled(): Promise<void> {
    if (this.#underWay === 0 && this.#drafts.length === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.settled();
    this.#due?.timer.cancel();
    this.#tidy?.timer.cancel();
    this.#retry?.cancel();
    this.#write(await this.#thread.ask({ do: 'end', now: this.#now() }));
    await this.#thread.end();
  }

  #now(): number {
    return this.#clock.mono() + this.#offset;
  }

  #current(): Draft {
    let draft = this.#drafts.at(-1);
    if (!draft || draft.isFull || !draft.takesEnds) this.#drafts.push((draft = new Draft()));
    this.#schedule();
    return draft;
  }

  /** After this turn, so that everything which this turn asks goes together. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay >= UNDER_WAY) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#underWay < UNDER_WAY && this.#drafts.length > 0) this.#send(this.#drafts.shift() as Draft);
    });
  }

  #send(draft: Draft): void {
    const { slots, bytes } = draft;
    const commands = slots.map((slot) => slot.command());
    const transfer = slots.flatMap((slot) => slot.transfer?.() ?? []);
    this.#underWay += 1;
    this.#thread.send(
      { do: 'batch', now: this.#now(), wall: this.#clock.now(), commands, letters: this.letters },
      transfer,
      {
        reply: (reply) => {
          this.#handOut(slots, reply);
          this.#ended(bytes);
        },
        lost: (why) => {
          const sentence = `The thread that owns the queue file ${this.#path} ended (${why}); what it was doing may have been stored or not.`;
          for (const slot of slots) slot.fail(unavailable(sentence, true));
          this.#ended(bytes);
        },
      },
    );
  }

  #ended(bytes: number): void {
    this.#underWay -= 1;
    this.#waitingBytes -= bytes;
    if (this.#drafts.length > 0) this.#schedule();
    else if (this.#underWay === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #handOut(slots: readonly Slot[], reply: Reply): void {
    this.#write(reply);
    if (reply.trouble) {
      const failure = failureOf(this.#path, reply.trouble);
      for (const slot of slots) slot.fail(failure);
      this.#meet(reply.trouble, failure.message);
      return;
    }
    this.#deaths = 0;
    this.#tidyIn(TIDY_MS);
    slots.forEach((slot, index) => slot.settle(reply.answers?.[index]));
    this.#arm(reply.due ?? Infinity);
    if (reply.tidings && reply.tidings.length > 0) this.#events.tidings(reply.tidings);
    if (reply.letters) this.#events.letters(reply.letters);
  }

  #write(reply: Reply): void {
    for (const { level, text } of reply.notes ?? []) this.#log[level](text);
  }

  // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Asks again when something falls due; too early does no harm. */
  #arm(due: number): void {
    if (this.#closed || due === Infinity || (this.#due && this.#due.at <= due)) return;
    this.#due?.timer.cancel();
    const timer = this.#clock.timer(Math.max(1, due - this.#now()), () => {
      this.#due = undefined;
      this.#tick();
    });
    this.#due = { at: due, timer };
  }

  #tick(): void {
    if (this.#closed || this.#trouble !== undefined) return;
    // What goes wrong is told by the batch itself.
    this.#current()
      .add('tick', null)
      .catch(() => {});
  }

  /** Lets the thread tidy up, at the latest so late. */
  #tidyIn(ms: number): void {
    const at = this.#clock.mono() + ms;
    if (this.#closed || (this.#tidy && this.#tidy.at <= at)) return;
    this.#tidy?.timer.cancel();
    const timer = this.#clock.timer(ms, () => {
      this.#tidy = undefined;
      const busy = this.#underWay > 0 || this.#drafts.length > 0;
      if (busy || this.#trouble !== undefined) this.#tidyIn(TIDY_MS);
      else this.#tidyUp();
    });
    this.#tidy = { at, timer };
  }

  #tidyUp(): void {
    this.#underWay += 1;
    this.#thread.send({ do: 'tidy', now: this.#now() }, [], {
      reply: (reply) => {
        if (reply.trouble) this.#meet(reply.trouble, failureOf(this.#path, reply.trouble).message);
        this.#write(reply);
        this.#tidyIn(reply.more === true ? NEXT_STEP_MS : NOTE_TIME_MS);
        this.#ended(0);
      },
      lost: () => this.#ended(0),
    });
  }

  // ── Trouble ──────────────────────────────────────────────────────────────────────────────────────────

  #meet(trouble: Trouble, sentence: string): void {
    if (trouble.kind === 'bug') {
      this.#log.error(sentence);
      return;
    }
    if (this.#trouble !== undefined) return;
    this.#fall(sentence);
    this.#probeLater();
  }

  #fall(sentence: string): void {
    if (this.#trouble === undefined) this.#log.error(sentence);
    this.#trouble = sentence;
    for (const { slots, bytes } of this.#drafts.splice(0)) {
      this.#waitingBytes -= bytes;
      for (const slot of slots) slot.fail(unavailable(sentence));
    }
    this.#events.trouble(sentence);
  }

  /** The disk and the thread work again; a new thread first opens what was open. */
  async #rise(): Promise<void> {
    this.#trouble = undefined;
    try {
      if (this.#fresh) await this.#events.restarted();
    } catch (error) {
      this.#fall(error instanceof Error ? error.message : String(error));
      this.#probeLater();
      return;
    }
    this.#fresh = false;
    this.#log.info(`The queue file ${this.#path} works again.`);
    this.#events.trouble(undefined);
    this.#tick();
  }

  #probeLater(): void {
    if (this.#closed) return;
    this.#retry?.cancel();
    this.#retry = this.#clock.timer(PROBE_MS, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const thread = this.#thread;
    const reply = await thread.ask({ do: 'probe', now: this.#now(), wall: this.#clock.now() });
    // A thread that ended meanwhile is replaced; the new one looks for itself.
    if (this.#closed || thread !== this.#thread) return;
    this.#write(reply);
    if (reply.trouble) this.#probeLater();
    else await this.#rise();
  }

  #startThread(): Thread {
    return new Thread((why) => this.#died(why), this.#started);
  }

  #died(why: string): void {
    if (this.#closed) return;
    this.#retry?.cancel();
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#deaths);
    this.#deaths += 1;
    this.#fresh = true;
    this.#fall(`The thread that owns the queue file ${this.#path} ended (${why}); it is started again.`);
    this.#retry = this.#clock.timer(pause, () => void this.#restart());
  }

  async #restart(): Promise<void> {
    if (this.#closed) return;
    const thread = (this.#thread = this.#startThread());
    const reply = await thread.ask({ do: 'start', path: this.#path });
    this.#write(reply);
    if (this.#closed || thread !== this.#thread) return;
    if (reply.trouble) {
      await thread.end();
      this.#died(failureOf(this.#path, reply.trouble).message);
      return;
    }
    this.#offset = Math.max(this.#offset, (reply.running ?? 0) - this.#clock.mono());
    await this.#rise();
  }
}
