/** The records of one queue in memory, shared by all who opened it. */
import type { Clock, Timer } from '../../core';
import type { Attempt, Entry, PutResult, QueueListener, QueueOptions, QueueStats } from '../types';
import { boundedHistory, full } from './check';
import type { MemoryDeadLetters } from './dead';
import { Heap } from './heap';
import { Order } from './order';
import type { Held } from './record';
import { Seen } from './seen';

const NOBODY = { node: '', name: '', type: '', flow: '' };

interface Due {
  readonly at: number;
  readonly record: Held;
}

export class Shelf {
  readonly name: string;
  readonly listeners = new Set<QueueListener>();
  options: QueueOptions | undefined;
  readonly #clock: Clock;
  readonly #dead: MemoryDeadLetters;
  readonly #records = new Map<number, Held>();
  readonly #seen = new Seen(0);
  #order = new Order(false);
  #dues = new Heap<Due>((due) => due.at);
  #timer: Timer | undefined;
  #timerAt = Infinity;
  /** The position of the next record; none is before `#first`. */
  #next = 1;
  #first = 1;
  #leases = 0;
  #bytes = 0;
  #out = { leased: 0, delayed: 0 };
  #totals = { put: 0, acknowledged: 0, died: 0, replayed: 0, full: 0, old: 0, purged: 0, duplicates: 0 };

  constructor(name: string, clock: Clock, dead: MemoryDeadLetters) {
    this.name = name;
    this.#clock = clock;
    this.#dead = dead;
  }

  /** Who opens last says what holds. */
  configure(options: QueueOptions): void {
    const reorder = this.options?.ordered !== options.ordered;
    this.options = options;
    this.#seen.windowMs = options.duplicateWindowMs;
    if (!reorder) return;
    this.#order = new Order(options.ordered);
    for (const record of this.#records.values())
      if (record.state === 'waiting') this.#order.wait(record);
      else this.#order.hold(record);
  }

  put(entry: Entry): PutResult {
    const now = this.settle();
    const window = this.#seen.windowMs;
    if (window > 0 && this.#seen.has(entry.id, now)) {
      this.#totals.duplicates += 1;
      return 'duplicate';
    }
    const result = this.#fit(entry.body.byteLength);
    if (result === 'stored') {
      if (window > 0) this.#seen.add(entry.id, now);
      this.append(entry, entry.history ?? []);
    }
    return result;
  }

  /** Stores at the end, whatever the limits. */
  append(entry: Entry, history: readonly Attempt[]): void {
    const { id, key, time } = entry;
    const at = this.#clock.mono();
    const past = { delivery: 0, history: boundedHistory(history) };
    const lease = { state: 'waiting' as const, lease: 0, handle: 0, due: Infinity };
    const record: Held = {
      seq: this.#next,
      id,
      key,
      time,
      body: new Uint8Array(entry.body),
      at,
      ...past,
      ...lease,
    };
    this.#next += 1;
    this.#totals.put += 1;
    this.#bytes += record.body.byteLength;
    this.#records.set(record.seq, record);
    this.#order.wait(record);
    this.#arm();
    this.tell((listener) => listener.ready?.());
  }

  countReplayed(): void {
    this.#totals.replayed += 1;
  }

  lease(max: number, perKey: number, visibilityMs: number, handle: number): Held[] {
    const now = this.settle();
    const lease = (this.#leases += 1);
    const taken: Held[] = [];
    const most = this.options?.maxDeliveries ?? 0;
    this.#order.pick(max, perKey, lease, (record) => {
      if (most > 0 && record.delivery >= most) {
        // The limit was lowered since.
        this.bury(record, this.#exhausted(record.delivery, record.history.at(-1)));
        return false;
      }
      record.lease = lease;
      record.handle = handle;
      record.delivery += 1;
      this.#hold(record, 'leased', now + visibilityMs);
      taken.push(record);
      return true;
    });
    return taken;
  }

  /** The record that this lease still holds. */
  leased(seq: number, lease: number): Held | undefined {
    this.settle();
    const record = this.#records.get(seq);
    return record?.state === 'leased' && record.lease === lease ? record : undefined;
  }

  acknowledge(record: Held): void {
    this.#totals.acknowledged += 1;
    this.#remove(record);
    this.tell((listener) => listener.ready?.());
  }

  /** A failed delivery: it waits again, after a while or at once, unless it was the last. */
  fail(record: Held, attempt: Attempt | undefined, delayMs: number): void {
    const most = this.options?.maxDeliveries ?? 0;
    if (most > 0 && record.delivery >= most) {
      const reason = this.#exhausted(record.delivery, attempt);
      this.bury(record, attempt ?? reason, reason);
      return;
    }
    if (attempt) record.history = boundedHistory([...record.history, attempt]);
    if (delayMs > 0) this.#hold(record, 'delayed', this.#clock.mono() + delayMs);
    else this.#return(record);
  }

  /** It waits again as if it had not been leased. */
  release(record: Held): void {
    record.delivery -= 1;
    this.#return(record);
  }

  extend(record: Held, visibilityMs: number): void {
    this.#hold(record, 'leased', this.#clock.mono() + visibilityMs);
  }

  releaseAll(handle: number): void {
    for (const record of this.#records.values())
      if (record.state === 'leased' && record.handle === handle) this.release(record);
  }

  bury(record: Held, last: Attempt, reason = last): void {
    const { id, key, time, body, delivery } = record;
    this.#totals.died += 1;
    this.#remove(record);
    const history = boundedHistory([...record.history, last]);
    const owner = this.options?.owner ?? NOBODY;
    this.#dead.bury({
      queue: this.name,
      entry: { id, key, time, body },
      owner,
      history,
      reason,
      attempts: delivery,
    });
    this.tell((listener) => {
      listener.died?.(1);
      listener.ready?.();
    });
  }

  purge(): number {
    this.settle();
    let count = 0;
    for (const record of this.#records.values()) {
      if (record.state === 'leased') continue;
      this.#remove(record);
      count += 1;
    }
    this.#totals.purged += count;
    return count;
  }

  /** In the queue's order, beginning with the one at `from`. */
  *each(from: number): Generator<Held> {
    this.settle();
    this.#skip();
    for (let seq = Math.max(from, this.#first); seq < this.#next; seq += 1) {
      const record = this.#records.get(seq);
      if (record) yield record;
    }
  }

  stats(): QueueStats {
    const now = this.settle();
    this.#skip();
    const { full, old, purged, ...totals } = this.#totals;
    const { leased, delayed } = this.#out;
    const oldest = this.#records.get(this.#first);
    return {
      waiting: this.#records.size - leased - delayed,
      leased,
      delayed,
      dead: this.#dead.ofQueue(this.name),
      bytes: this.#bytes,
      oldestMs: oldest ? now - oldest.at : 0,
      totals: { ...totals, dropped: { full, old, purged } },
    };
  }

  tell(about: (listener: QueueListener) => void): void {
    for (const listener of [...this.listeners]) about(listener);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.listeners.clear();
  }

  /** Ends the leases, delays and records whose time is over. Returns the running time. */
  settle(): number {
    const now = this.#clock.mono();
    for (let due = this.#dues.peek(); due && due.at <= now; due = this.#dues.peek()) {
      this.#dues.pop();
      const { record } = due;
      if (record.due !== due.at) continue;
      if (record.state === 'leased') this.fail(record, undefined, 0);
      else if (record.state === 'delayed') this.#return(record);
    }
    this.#endOld(now);
    return now;
  }

  #hold(record: Held, state: 'leased' | 'delayed', due: number): void {
    this.#count(record, -1);
    record.state = state;
    record.due = due;
    this.#count(record, 1);
    this.#dues.push({ at: due, record });
    this.#order.hold(record);
    this.#arm();
  }

  #return(record: Held): void {
    this.#count(record, -1);
    record.state = 'waiting';
    record.due = Infinity;
    this.#order.wait(record);
    this.#arm();
    this.tell((listener) => listener.ready?.());
  }

  #remove(record: Held): void {
    this.#count(record, -1);
    record.state = 'gone';
    record.due = Infinity;
    this.#bytes -= record.body.byteLength;
    this.#records.delete(record.seq);
    this.#order.end(record);
  }

  #count(record: Held, by: number): void {
    if (record.state === 'leased' || record.state === 'delayed') this.#out[record.state] += by;
  }

  #fit(bytes: number): PutResult {
    const { maxBytes = 0, whenFull = 'reject' } = this.options ?? {};
    if (!this.#isOver(bytes)) return 'stored';
    if (whenFull === 'reject') throw full(this.name);
    if (whenFull === 'dropOldest' && (maxBytes === 0 || bytes <= maxBytes)) {
      for (const record of this.#free()) {
        this.#remove(record);
        this.#drop('full');
        if (!this.#isOver(bytes)) return 'stored';
      }
    }
    // What is leased cannot make room.
    if (whenFull === 'dropOldest') throw full(this.name);
    // The new one itself is dropped; it counts as put, so that the totals add up.
    this.#totals.put += 1;
    this.#drop('full');
    return 'dropped';
  }

  #isOver(bytes: number): boolean {
    const { maxRecords = 0, maxBytes = 0 } = this.options ?? {};
    const isMany = maxRecords > 0 && this.#records.size + 1 > maxRecords;
    return isMany || (maxBytes > 0 && this.#bytes + bytes > maxBytes);
  }

  #drop(reason: 'full' | 'old'): void {
    this.#totals[reason] += 1;
    this.tell((listener) => listener.dropped?.(1, reason));
  }

  /** Not leased, oldest first. */
  *#free(): Generator<Held> {
    this.#skip();
    for (let seq = this.#first; seq < this.#next; seq += 1) {
      const record = this.#records.get(seq);
      if (record && record.state !== 'leased') yield record;
    }
  }

  #oldestFree(): Held | undefined {
    for (const record of this.#free()) return record;
    return undefined;
  }

  #skip(): void {
    while (this.#first < this.#next && !this.#records.has(this.#first)) this.#first += 1;
  }

  #endOld(now: number): void {
    const { maxAgeMs = 0, whenOld = 'drop' } = this.options ?? {};
    if (maxAgeMs === 0) return;
    for (const record of this.#free()) {
      if (record.at + maxAgeMs > now) return;
      if (whenOld === 'deadLetter') this.bury(record, this.#expired(maxAgeMs));
      else {
        this.#remove(record);
        this.#drop('old');
      }
    }
  }

  /** One timer for whatever falls due next. */
  #arm(): void {
    const maxAge = this.options?.maxAgeMs ?? 0;
    let at = this.#dues.peek()?.at ?? Infinity;
    const oldest = maxAge > 0 ? this.#oldestFree() : undefined;
    if (oldest) at = Math.min(at, oldest.at + maxAge);
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.timer(Math.max(0, at - this.#clock.mono()), () => {
      this.#timerAt = Infinity;
      this.settle();
      this.#arm();
    });
  }

  #exhausted(deliveries: number, last: Attempt | undefined): Attempt {
    const ended = last ? ` The last one failed: ${last.message}` : '';
    const message = `The message was delivered ${deliveries} times from queue ${this.name} without being acknowledged.${ended}`;
    const source = last?.source ? { source: last.source } : {};
    return { at: this.#clock.now(), kind: 'rejected', code: 'DELIVERIES_EXHAUSTED', message, ...source };
  }

  #expired(maxAgeMs: number): Attempt {
    const message = `The message waited longer in queue ${this.name} than its limit of ${maxAgeMs} ms.`;
    return { at: this.#clock.now(), kind: 'rejected', code: 'EXPIRED', message };
  }
}
