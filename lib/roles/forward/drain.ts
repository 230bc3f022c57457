/** Sends what is in the store: leases ahead, keeps the lines, and holds still while the peer cannot take anything. */
import { toFailure, type Clock, type Failure, type Timer } from '../../core';
import type { Leased, Queue } from '../../queue/types';
import type { Fate } from './fate';
import { Insist } from './insist';
import type { Job } from './job';

/** `settled`: delivered by another road; only the record is left. */
export type Verdict = 'delivered' | 'settled' | { readonly fate: Fate; readonly failure: Failure };

export interface DrainDeps {
  readonly clock: Clock;
  /** Lines that are sent at the same time. */
  readonly atOnce: number;
  /** All records form one line. */
  readonly oneLine: boolean;
  /** Jobs of one line that may share a joined call. */
  readonly joined: (job: Job) => number;
  /** Rejects with a Failure that may be shown when the record cannot be read. */
  readonly prepare: (leased: Leased) => Promise<Job>;
  /** Never rejects. */
  readonly deliver: (job: Job, leased: Leased) => Promise<Verdict>;
  /** True while a message of this line is under way to the peer without having been stored. */
  readonly isHeld: (line: string | undefined) => boolean;
  /** So many were leased; resolves when they are accounted for. */
  readonly leased: (count: number) => Promise<void>;
  /** Ends the record; the lease is the drain's until then. */
  readonly settle: (leased: Leased, job: Job | undefined, verdict: Verdict) => void;
  /** How long everything waits after a failure of the whole peer, milliseconds. */
  readonly pauseMs: (failure: Failure) => number;
  readonly broken: (error: unknown) => void;
}

interface Item {
  readonly leased: Leased;
  readonly job: Job;
  readonly line: string;
}
interface Line {
  running: number;
  /** The turn in which it began: only jobs of that turn can join its call. */
  turn: number;
  readonly group: string | undefined;
}

/** Leased ahead, so that one commit serves many deliveries. */
const AHEAD = 256;
/** Reading goes on in the next turn of the event loop after so many bytes: nothing else may wait long for it. */
const BYTES_A_TURN = 256 * 1024;
/** A record is ours until the process ends. */
const FOR_EVER_MS = 30 * 24 * 3_600_000;
const RETRY_LEASE_MS = 1000;
/** A cancelled call of a node that goes on: its connection is closing. */
const CANCELLED_MS = 1000;

export class Drain {
  readonly #queue: Queue;
  readonly #deps: DrainDeps;
  readonly #lines = new Map<string, Line>();
  readonly #insist: Insist;
  #ahead: Item[] = [];
  #running = 0;
  #leasing = false;
  #more = true;
  #turn = 0;
  #pause: Timer | undefined;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(queue: Queue, deps: DrainDeps) {
    this.#queue = queue;
    this.#deps = deps;
    this.#insist = new Insist(deps.clock, deps.broken);
  }

  get paused(): boolean {
    return this.#pause !== undefined;
  }

  /** Something may have changed: records came, a line became free. */
  wake(): void {
    this.#more = true;
    this.#pump();
  }

  /** The peer can be reached again: no reason to wait any longer. */
  resume(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
    this.wake();
  }

  hold(ms: number): void {
    this.#pause ??= this.#deps.clock.timer(ms, () => this.resume());
  }

  /** Starts nothing more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pause?.cancel();
    this.#giveBack(() => true);
    if (this.#running > 0 || this.#leasing) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#insist.stop();
  }

  /** Tells the store how a delivery ended, until it has heard. */
  end(act: (queue: Queue) => Promise<unknown>): void {
    this.#insist.until(() => act(this.#queue));
  }

  #pump(): void {
    if (this.#stopped || this.#pause) return;
    this.#turn += 1;
    const shut = new Set<string>();
    this.#ahead = this.#ahead.filter((item) => !this.#mayStart(item, shut) || this.#start(item));
    if (this.#more && !this.#leasing && this.#hasRoom()) void this.#lease();
  }

  #hasRoom(): boolean {
    // One line: nothing of it can be leased before all that was leased has ended.
    if (this.#deps.oneLine) {
      return this.#ahead.length === 0 && this.#running === 0 && !this.#deps.isHeld('');
    }
    return this.#ahead.length < AHEAD / 2;
  }

  /** Who may not start shuts its line for this turn: nobody behind may overtake. */
  #mayStart({ line, job }: Item, shut: Set<string>): boolean {
    if (shut.has(line)) return false;
    const open = this.#lines.get(line);
    const may = open
      ? open.turn === this.#turn &&
        job.group !== undefined &&
        open.group === job.group &&
        open.running < this.#deps.joined(job)
      : this.#lines.size < this.#deps.atOnce && !this.#deps.isHeld(job.line);
    if (!may) shut.add(line);
    return may;
  }

  /** Returns false, so that it leaves the list of those ahead. */
  #start(item: Item): false {
    const { line, job } = item;
    const open = this.#lines.get(line) ?? { running: 0, turn: this.#turn, group: job.group };
    this.#lines.set(line, open);
    open.running += 1;
    this.#running += 1;
    void this.#deps.deliver(job, item.leased).then((verdict) => this.#ended(item, open, verdict));
    return false;
  }

  #ended(item: Item, open: Line, verdict: Verdict): void {
    open.running -= 1;
    this.#running -= 1;
    if (open.running === 0) this.#lines.delete(item.line);
    if (typeof verdict === 'object' && !this.#stopped) {
      // Before the record goes back: it must not be leased again at once.
      if (verdict.fate === 'wait') this.hold(this.#deps.pauseMs(verdict.failure));
      if (verdict.fate === 'stopped') this.hold(CANCELLED_MS);
    }
    this.#settle(item.leased, item.job, verdict);
    if (typeof verdict === 'object') {
      const { fate } = verdict;
      if (fate === 'wait' || fate === 'stopped') this.#giveBack(() => true);
      if (fate === 'later') this.#giveBack((one) => one.line === item.line);
    }
    if (this.#running === 0 && !this.#leasing) this.#idle?.();
    this.#more = true;
    this.#pump();
  }

  #settle(leased: Leased, job: Job | undefined, verdict: Verdict): void {
    try {
      this.#deps.settle(leased, job, verdict);
    } catch (error) {
      // A report that cannot be sent must not end the sending.
      this.#deps.broken(error);
    }
  }

  /** Records that were leased ahead go back to their places; their delivery does not count. */
  #giveBack(which: (item: Item) => boolean): void {
    const back = this.#ahead.filter(which);
    if (back.length === 0) return;
    this.#ahead = this.#ahead.filter((item) => !which(item));
    for (const { leased } of back) this.end((queue) => queue.release(leased.token));
  }

  async #lease(): Promise<void> {
    this.#leasing = true;
    // What comes while the store answers counts for the next time.
    this.#more = false;
    try {
      const found = await this.#queue.lease({ max: AHEAD, perKey: AHEAD, visibilityMs: FOR_EVER_MS });
      if (found.length > 0) {
        this.#more = true;
        await this.#deps.leased(found.length);
        await this.#read(found);
      }
    } catch (error) {
      this.#deps.broken(error);
      this.hold(RETRY_LEASE_MS);
    }
    this.#leasing = false;
    if (this.#stopped || this.#pause) this.#giveBack(() => true);
    if (this.#stopped && this.#running === 0) this.#idle?.();
    this.#pump();
  }

  async #read(found: readonly Leased[]): Promise<void> {
    let bytes = 0;
    for (const leased of found) {
      const item = await this.#item(leased);
      if (item) this.#ahead.push(item);
      bytes += leased.entry.body.byteLength;
      if (bytes < BYTES_A_TURN) continue;
      bytes = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #item(leased: Leased): Promise<Item | undefined> {
    try {
      const job = await this.#deps.prepare(leased);
      return { leased, job, line: job.line ?? `\0${leased.token}` };
    } catch (error) {
      this.#settle(leased, undefined, { fate: 'dead', failure: toFailure(error) });
      return undefined;
    }
  }
}
