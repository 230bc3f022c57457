/** The records of one queue in memory, and what its handles share. */
import { Failure, type Clock, type Timer } from '../../core';
import type { Attempt, Entry, PutResult, QueueListener, QueueOptions, QueueStats } from '../types';
import type { MemoryDeadLetters } from './dead';
import { Lines, type Held } from './lines';

const MOST_ATTEMPTS = 20;

export class Shelf {
  readonly name: string;
  readonly listeners = new Set<QueueListener>();
  readonly totals = {
    put: 0,
    acknowledged: 0,
    died: 0,
    replayed: 0,
    dropped: { full: 0, old: 0, purged: 0 },
    duplicates: 0,
  };
  /** By position, in order. */
  readonly records = new Map<number, Held>();
  readonly #clock: Clock;
  readonly #dead: MemoryDeadLetters;
  readonly #timed = new Set<Held>();
  readonly #seen = new Map<string, number>();
  #options: QueueOptions | undefined;
  #lines = new Lines(true);
  #last = 0;
  #lease = 0;
  #bytes = 0;
  #timer: Timer | undefined;

  constructor(name: string, clock: Clock, dead: MemoryDeadLetters) {
    this.name = name;
    this.#clock = clock;
    this.#dead = dead;
  }

  open(options: QueueOptions): void {
    const reordered = this.#options?.ordered !== options.ordered;
    this.#options = options;
    if (reordered) this.#sort(options.ordered);
    this.#look();
  }

  put(entry: Entry): PutResult {
    const { duplicateWindowMs, whenFull } = this.#set();
    const now = this.#clock.mono();
    if (duplicateWindowMs > 0 && this.#isKnown(entry.id, now, duplicateWindowMs)) {
      this.totals.duplicates += 1;
      return 'duplicate';
    }
    while (!this.#fits(entry.body.length)) {
      if (whenFull === 'dropNewest') {
        this.totals.put += 1;
        this.#drop(1, 'full');
        return 'dropped';
      }
      const oldest = whenFull === 'dropOldest' ? this.#oldest() : undefined;
      if (!oldest) throw full(this.name);
      this.#forget(oldest);
      this.#drop(1, 'full');
    }
    this.add(entry);
    if (duplicateWindowMs > 0) this.#seen.set(entry.id, now);
    return 'stored';
  }

  /** Limits or not: for what comes back from the dead letters. */
  add(entry: Entry): void {
    this.#last += 1;
    const line = this.#lines.of(entry.key);
    const held: Held = {
      position: this.#last,
      entry,
      line,
      putAt: this.#clock.mono(),
      delivery: 0,
      history: entry.history?.slice(-MOST_ATTEMPTS) ?? [],
      state: 'waiting',
      lease: 0,
      until: 0,
    };
    this.records.set(held.position, held);
    this.#bytes += entry.body.length;
    this.totals.put += 1;
    this.#lines.add(held);
    if ((this.#options?.maxAgeMs ?? 0) > 0 && this.records.size === 1) this.#arm();
    this.#tell((one) => one.ready?.());
  }

  lease(max: number, perKey: number, visibilityMs: number): readonly Held[] {
    this.#look();
    const { maxDeliveries } = this.#set();
    const taken = this.#lines.take(max, perKey);
    for (const held of taken) {
      this.#lease += 1;
      held.lease = this.#lease;
      held.state = 'leased';
      held.delivery += 1;
      held.until = this.#clock.mono() + visibilityMs;
      this.#timed.add(held);
    }
    this.#arm();
    const given = taken.filter((held) => maxDeliveries === 0 || held.delivery <= maxDeliveries);
    for (const held of taken) if (!given.includes(held)) this.die(held, this.#exhausted(held));
    return given;
  }

  /** Undefined: the token is worthless. */
  held(position: number, lease: number): Held | undefined {
    this.#look();
    const held = this.records.get(position);
    return held?.state === 'leased' && held.lease === lease ? held : undefined;
  }

  acknowledge(held: Held): void {
    this.#forget(held);
    this.totals.acknowledged += 1;
  }

  reject(held: Held, attempt: Attempt | undefined, delayMs: number): void {
    if (attempt) held.history = [...held.history, attempt].slice(-MOST_ATTEMPTS);
    const { maxDeliveries } = this.#set();
    if (maxDeliveries > 0 && held.delivery >= maxDeliveries)
      return this.die(held, attempt ? undefined : this.#exhausted(held));
    this.#timed.delete(held);
    if (delayMs <= 0) return this.#back(held);
    held.state = 'delayed';
    held.until = this.#clock.mono() + delayMs;
    this.#timed.add(held);
    this.#arm();
  }

  release(held: Held): void {
    held.delivery -= 1;
    this.#timed.delete(held);
    this.#back(held);
  }

  extend(held: Held, visibilityMs: number): void {
    held.until = this.#clock.mono() + visibilityMs;
    this.#arm();
  }

  die(held: Held, attempt: Attempt | undefined): void {
    const history = attempt ? [...held.history, attempt] : held.history;
    this.#forget(held);
    this.totals.died += 1;
    const { owner } = this.#set();
    this.#dead.bury(this.name, held.entry, owner, history, held.delivery);
    this.#tell((one) => one.died?.(1));
  }

  purge(): number {
    const free = [...this.records.values()].filter(({ state }) => state !== 'leased');
    for (const held of free) this.#forget(held);
    this.totals.dropped.purged += free.length;
    return free.length;
  }

  stats(): QueueStats {
    this.#look();
    const count = { waiting: 0, leased: 0, delayed: 0, gone: 0 };
    for (const { state } of this.records.values()) count[state] += 1;
    const [first] = this.records.values();
    const { gone: _gone, ...here } = count;
    return {
      ...here,
      dead: this.#dead.count(this.name),
      bytes: this.#bytes,
      oldestMs: first ? this.#clock.mono() - first.putAt : 0,
      totals: { ...this.totals, dropped: { ...this.totals.dropped } },
    };
  }

  close(): void {
    this.#timer?.cancel();
  }

  // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Ends what has run out. */
  #look(): void {
    const now = this.#clock.mono();
    for (const held of [...this.#timed]) {
      if (held.until > now) continue;
      this.#timed.delete(held);
      const { maxDeliveries } = this.#set();
      const over = held.state === 'leased' && maxDeliveries > 0 && held.delivery >= maxDeliveries;
      if (over) this.die(held, this.#exhausted(held));
      else this.#back(held);
    }
    this.#expire(now);
    this.#arm();
  }

  #expire(now: number): void {
    const { maxAgeMs, whenOld } = this.#set();
    if (maxAgeMs === 0) return;
    for (const held of this.records.values()) {
      if (now - held.putAt < maxAgeMs) return;
      if (held.state === 'leased') continue;
      if (whenOld === 'drop') {
        this.#forget(held);
        this.#drop(1, 'old');
      } else this.die(held, this.#attempt('EXPIRED', 'The message waited longer than its queue allows.'));
    }
  }

  #arm(): void {
    this.#timer?.cancel();
    let due = Math.min(...[...this.#timed].map(({ until }) => until), Infinity);
    const maxAgeMs = this.#options?.maxAgeMs ?? 0;
    const oldest = maxAgeMs > 0 ? this.#oldest() : undefined;
    if (oldest) due = Math.min(due, oldest.putAt + maxAgeMs);
    this.#timer =
      due === Infinity
        ? undefined
        : this.#clock.timer(Math.max(0, due - this.#clock.mono()), () => this.#look());
  }

  #back(held: Held): void {
    held.state = 'waiting';
    const { line } = held;
    // Its place first, so that it is found when the line is free.
    line.busy += 1;
    this.#lines.add(held);
    line.busy -= 1;
    this.#lines.free(line);
    this.#tell((one) => one.ready?.());
  }

  // ── Room ─────────────────────────────────────────────────────────────────────────────────────────────

  #fits(bytes: number): boolean {
    const { maxRecords, maxBytes } = this.#set();
    return (
      (maxRecords === 0 || this.records.size < maxRecords) &&
      (maxBytes === 0 || this.#bytes + bytes <= maxBytes)
    );
  }

  #oldest(): Held | undefined {
    for (const held of this.records.values()) if (held.state !== 'leased') return held;
    return undefined;
  }

  #forget(held: Held): void {
    this.records.delete(held.position);
    this.#bytes -= held.entry.body.length;
    this.#timed.delete(held);
    const busy = held.state !== 'waiting';
    held.state = 'gone';
    if (!busy) this.#lines.remove(held);
    else {
      this.#lines.free(held.line);
      this.#tell((one) => one.ready?.());
    }
  }

  #drop(count: number, reason: 'full' | 'old'): void {
    this.totals.dropped[reason] += count;
    this.#tell((one) => one.dropped?.(count, reason));
  }

  #isKnown(id: string, now: number, windowMs: number): boolean {
    for (const [known, at] of this.#seen) {
      if (now - at < windowMs) break;
      this.#seen.delete(known);
    }
    return this.#seen.has(id);
  }

  #sort(ordered: boolean): void {
    this.#lines = new Lines(ordered);
    for (const held of this.records.values()) {
      const line = this.#lines.of(held.entry.key);
      (held as { line: typeof line }).line = line;
      if (held.state === 'waiting') this.#lines.add(held);
      else line.busy += 1;
    }
  }

  #exhausted({ delivery, history }: Held): Attempt {
    const last = history.at(-1);
    const why = last ? ` The last failure: ${last.message}` : '';
    const sentence = `The message was delivered ${delivery} times without being acknowledged.${why}`;
    return this.#attempt('DELIVERIES_EXHAUSTED', sentence);
  }

  #attempt(code: string, message: string): Attempt {
    return { at: this.#clock.now(), kind: 'rejected', code, message };
  }

  #set(): QueueOptions {
    if (!this.#options) throw new Error(`The queue ${this.name} is not open.`);
    return this.#options;
  }

  #tell(say: (listener: QueueListener) => void): void {
    for (const listener of [...this.listeners]) say(listener);
  }
}

function full(name: string): Failure {
  const sentence = `The queue "${name}" is full; the message was not stored. Empty it or raise its limits.`;
  return new Failure('transient', 'QUEUE_FULL', sentence, { reached: false });
}
