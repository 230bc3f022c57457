/**
 * A queue as `lib/queue/types.ts` describes it, in the plainest way: a list that every question searches from the front.
 * Shares nothing with the stores. Time moves only when told.
 */
import type { QueueOptions } from '../../../lib/queue';

export interface Rec {
  readonly position: number;
  readonly id: string;
  readonly key: string;
  readonly body: string;
  /** Running time at which it was put. */
  readonly at: number;
  delivery: number;
  history: readonly string[];
  state: 'waiting' | 'leased' | 'delayed';
  due: number;
  /** The lease that has it: its number among all that the sequence got. */
  hold: number;
}

export interface Letter {
  readonly id: string;
  readonly key: string;
  readonly body: string;
  readonly attempts: number;
  readonly code: string;
  readonly history: readonly string[];
  /** Letters of one step may come in any order. */
  readonly step: number;
}

export interface Totals {
  put: number;
  acknowledged: number;
  died: number;
  replayed: number;
  full: number;
  old: number;
  purged: number;
  duplicates: number;
}

export const EXHAUSTED = 'DELIVERIES_EXHAUSTED';
export const EXPIRED = 'EXPIRED';
/** By an attempt's own code, or because there were too many. */
export const FAILED = 'failed';
const NOTHING: Totals = {
  put: 0,
  acknowledged: 0,
  died: 0,
  replayed: 0,
  full: 0,
  old: 0,
  purged: 0,
  duplicates: 0,
};

export class ModelQueue {
  records: Rec[] = [];
  dead: Letter[] = [];
  totals: Totals = { ...NOTHING };
  now = 0;
  step = 0;
  #next = 1;
  #seen = new Map<string, number>();

  constructor(readonly options: QueueOptions) {}

  clone(): ModelQueue {
    const copy = new ModelQueue(this.options);
    copy.records = this.records.map((record) => ({ ...record }));
    copy.dead = [...this.dead];
    copy.totals = { ...this.totals };
    copy.now = this.now;
    copy.step = this.step;
    copy.#next = this.#next;
    copy.#seen = new Map(this.#seen);
    return copy;
  }

  get bytes(): number {
    return this.records.reduce((sum, { body }) => sum + body.length, 0);
  }

  held(hold: number): Rec | undefined {
    return this.records.find((record) => record.state === 'leased' && record.hold === hold);
  }

  /** What time ends: leases, delays, and the patience with old records. */
  settle(): void {
    const over = this.records.filter(({ state, due }) => state !== 'waiting' && due <= this.now);
    for (const record of over) this.#giveBack(record, record.state === 'leased');
    const { maxAgeMs, whenOld } = this.options;
    if (maxAgeMs === 0) return;
    for (const record of this.records.filter(
      ({ state, at }) => state !== 'leased' && at + maxAgeMs <= this.now,
    )) {
      if (whenOld === 'deadLetter') this.bury(record, EXPIRED);
      else this.#drop(record, 'old');
    }
  }

  isDuplicate(id: string): boolean {
    const seen = this.#seen.get(id);
    return seen !== undefined && this.now - seen < this.options.duplicateWindowMs;
  }

  isOver(bytes: number): boolean {
    const { maxRecords, maxBytes } = this.options;
    const many = maxRecords > 0 && this.records.length + 1 > maxRecords;
    return many || (maxBytes > 0 && this.bytes + bytes > maxBytes);
  }

  /** Drops what is not leased, oldest first, until the new one fits; false when it never does. */
  makeRoom(bytes: number): boolean {
    for (const record of this.records.filter(({ state }) => state !== 'leased')) {
      if (!this.isOver(bytes)) return true;
      this.#drop(record, 'full');
    }
    return !this.isOver(bytes);
  }

  see(id: string): void {
    if (this.options.duplicateWindowMs > 0) this.#seen.set(id, this.now);
  }

  append(id: string, key: string, body: string, history: readonly string[]): void {
    const fresh = { delivery: 0, state: 'waiting' as const, due: Infinity, hold: -1 };
    this.records.push({ position: this.#next, id, key, body, at: this.now, history, ...fresh });
    this.#next += 1;
    this.totals.put += 1;
  }

  /** The oldest that may go. What was delivered too often dies as soon as it is its turn. */
  lease(max: number, perKey: number, visibilityMs: number, firstHold: number): Rec[] {
    const taken: Rec[] = [];
    const share = new Map<string, number>();
    for (const record of [...this.records]) {
      if (taken.length >= max) break;
      const line = this.#lineOf(record);
      if (line !== undefined && !share.has(line)) share.set(line, 0);
      const own = line === undefined ? 0 : (share.get(line) ?? 0);
      if (record.state !== 'waiting' || own >= perKey) {
        if (line !== undefined) share.set(line, Infinity);
        continue;
      }
      const { maxDeliveries } = this.options;
      if (maxDeliveries > 0 && record.delivery >= maxDeliveries) {
        this.bury(record, EXHAUSTED);
        continue;
      }
      const hold = firstHold + taken.length;
      Object.assign(record, {
        state: 'leased',
        delivery: record.delivery + 1,
        due: this.now + visibilityMs,
        hold,
      });
      if (line !== undefined) share.set(line, own + 1);
      taken.push(record);
    }
    return taken;
  }

  /** A failed delivery. */
  fail(record: Rec, attempt: string | undefined, delayMs: number): void {
    if (this.#isLast(record)) this.bury(record, attempt ?? EXHAUSTED);
    else {
      if (attempt !== undefined) record.history = [...record.history, attempt];
      if (delayMs > 0) Object.assign(record, { state: 'delayed', due: this.now + delayMs });
      else record.state = 'waiting';
    }
  }

  release(record: Rec): void {
    record.delivery -= 1;
    record.state = 'waiting';
  }

  /** Why it died is told apart only as far as all stores do. */
  bury(record: Rec, last: string): void {
    const { id, key, body, delivery, history } = record;
    const code = last === EXPIRED ? EXPIRED : FAILED;
    const told = last === EXHAUSTED ? history : [...history, last];
    this.dead.push({ id, key, body, attempts: delivery, code, history: told, step: this.step });
    this.remove(record);
    this.totals.died += 1;
  }

  remove(record: Rec): void {
    this.records = this.records.filter((one) => one !== record);
  }

  revive(letter: Letter, body = letter.body): void {
    this.dead = this.dead.filter((one) => one !== letter);
    this.append(letter.id, letter.key, body, letter.history);
    this.totals.replayed += 1;
  }

  purge(): number {
    const free = this.records.filter(({ state }) => state !== 'leased');
    for (const record of free) this.remove(record);
    this.totals.purged += free.length;
    return free.length;
  }

  /** The handle was closed: its leases are as if they had not been. */
  close(): void {
    for (const record of this.records) if (record.state === 'leased') this.release(record);
  }

  /** The store ended: no delay outlives it. With a crash, what was out counts as delivered. */
  end(crash: boolean): void {
    if (!crash) this.close();
    for (const record of this.records) record.state = 'waiting';
  }

  #lineOf({ key }: Rec): string | undefined {
    return key === '' && !this.options.ordered ? undefined : key;
  }

  #isLast({ delivery }: Rec): boolean {
    return this.options.maxDeliveries > 0 && delivery >= this.options.maxDeliveries;
  }

  #giveBack(record: Rec, failed: boolean): void {
    if (failed && this.#isLast(record)) this.bury(record, EXHAUSTED);
    else record.state = 'waiting';
  }

  #drop(record: Rec, why: 'full' | 'old'): void {
    this.remove(record);
    this.totals[why] += 1;
  }
}
