/** Sends what is in the store: leases ahead, keeps the lines, and holds still while the peer cannot take anything. */
import { type Clock, type Failure, type Timer } from '../../core';
import type { Leased, Queue } from '../../queue/types';
import type { Fate } from './fate';
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
  /** Rejects when the record cannot be read. */
  readonly prepare: (leased: Leased) => Promise<Job>;
  /** Never rejects. */
  readonly deliver: (job: Job, leased: Leased) => Promise<Verdict>;
  /** True while this record may not be touched. */
  readonly isHeld: (id: string) => boolean;
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
/** A record is ours until the process ends. */
const FOR_EVER_MS = 30 * 24 * 3_600_000;
const RETRY_LEASE_MS = 1000;

export class Drain {
  readonly #queue: Queue;
  readonly #deps: DrainDeps;
  readonly #lines = new Map<string, Line>();
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
    this.#pump();
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
    if (this.#deps.oneLine) return this.#ahead.length === 0 && this.#running === 0;
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
      : this.#lines.size < this.#deps.atOnce && !this.#deps.isHeld(job.id);
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
    this.#deps.settle(item.leased, item.job, verdict);
    if (typeof verdict === 'object') {
      const { fate, failure } = verdict;
      if (fate === 'wait' && !this.#stopped) this.hold(this.#deps.pauseMs(failure));
      if (fate === 'wait') this.#giveBack(() => true);
      if (fate === 'later') this.#giveBack((one) => one.line === item.line);
    }
    if (this.#running === 0 && !this.#leasing) this.#idle?.();
    this.#more = true;
    this.#pump();
  }

  /** Records that were leased ahead go back to their places; their delivery does not count. */
  #giveBack(which: (item: Item) => boolean): void {
    const back = this.#ahead.filter(which);
    if (back.length === 0) return;
    this.#ahead = this.#ahead.filter((item) => !which(item));
    for (const { leased } of back) this.#queue.release(leased.token).catch(this.#deps.broken);
  }

  async #lease(): Promise<void> {
    this.#leasing = true;
    let found: readonly Leased[] = [];
    try {
      found = await this.#queue.lease({ max: AHEAD, perKey: AHEAD, visibilityMs: FOR_EVER_MS });
      this.#more = found.length > 0;
      const items = await Promise.all(found.map((leased) => this.#item(leased)));
      this.#ahead.push(...items.filter((item) => item !== undefined));
    } catch (error) {
      this.#more = false;
      this.#deps.broken(error);
      this.hold(RETRY_LEASE_MS);
    }
    this.#leasing = false;
    if (this.#stopped || this.#pause) this.#giveBack(() => true);
    if (this.#stopped && this.#running === 0) this.#idle?.();
    this.#pump();
  }

  async #item(leased: Leased): Promise<Item | undefined> {
    try {
      const job = await this.#deps.prepare(leased);
      return { leased, job, line: job.line ?? `\0${leased.token}` };
    } catch (error) {
      const failure = error as Failure;
      this.#deps.settle(leased, undefined, { fate: 'dead', failure });
      return undefined;
    }
  }
}
