import { type Failure, type Clock, type Timer } from '../core';
import { Window, type WindowState } from './window';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  readonly mode: 'off' | 'consecutive' | 'rate';
  /** `consecutive`: opens after this many failures in a row. */
  readonly failures: number;
  /** `rate`: opens when this share of calls failed, 0 to 1. */
  readonly rate: number;
  /** `rate`: length of the sliding window, milliseconds. */
  readonly windowMs: number;
  /** `rate`: calls in the window below which the share says nothing. */
  readonly minimumCalls: number;
  /** How long it stays open, milliseconds. */
  readonly openMs: number;
  /** Calls let through half-open; all of them must succeed to close. */
  readonly probes: number;
  /** A probe that has not ended after this long gives its place to another call, milliseconds. */
  readonly probeTimeoutMs: number;
}

/** A breaker's state as plain JSON. Durations only: no clock reading survives a restart. */
export interface BreakerRecord {
  readonly state: BreakerState;
  /** What is left of `openMs`. */
  readonly remainingMs: number;
  readonly failures: number;
  readonly window: WindowState;
}

/** Failures in these codes are our own decisions; the peer was not asked. */
const OWN_CODES: ReadonlySet<string> = new Set([
  'CIRCUIT_OPEN',
  'RATE_LIMITED',
  'BULKHEAD_FULL',
  'NOT_CONNECTED',
]);

/** What one ended attempt tells about the peer: it works, it does not, or nothing. */
export function verdict(failure: Failure): 'success' | 'failure' | 'nothing' {
  if (failure.partial || OWN_CODES.has(failure.code)) return 'nothing';
  if (failure.kind === 'transient' || failure.kind === 'disconnected') return 'failure';
  const answered = failure.kind === 'rejected' || failure.kind === 'auth' || failure.kind === 'throttled';
  return answered && failure.reached ? 'success' : 'nothing';
}

/**
 * A circuit breaker. `enter` gives a permit (0: refused) and each permit ends in `succeed`, `fail` or `ignore`.
 * Permits from before the last change of state count for nothing: a call that started before the breaker opened
 * says nothing about the peer's recovery.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #clock: Clock;
  readonly #window: Window | undefined;
  readonly #listeners = new Set<(state: BreakerState) => void>();
  #state: BreakerState = 'closed';
  #lastPermit = 1;
  /** Permits below this one are from an earlier state. While closed all calls share it. */
  #firstPermit = 1;
  #failures = 0;
  #successes = 0;
  #openUntil = 0;
  #timer: Timer | undefined;
  /** Running probes by permit, with the time at which each loses its place. */
  readonly #probes = new Map<number, number>();

  constructor(options: BreakerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#window = options.mode === 'rate' ? new Window(options.windowMs) : undefined;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether `succeed` needs the time. */
  get timed(): boolean {
    return this.#window !== undefined;
  }

  /** Milliseconds until an open breaker lets a probe through; 0 when it is not open. */
  get remainingMs(): number {
    return this.#state === 'open' ? Math.max(0, this.#openUntil - this.#clock.mono()) : 0;
  }

  /** Called after each change of state. Returns the function that removes the listener. */
  onState(fn: (state: BreakerState) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  enter(now: number): number {
    if (this.#state === 'closed') return this.#firstPermit;
    if (this.#state === 'open') {
      if (now < this.#openUntil) return 0;
      this.#become('half-open');
    }
    return this.#enterProbe(now);
  }

  succeed(permit: number, now: number): void {
    if (permit < this.#firstPermit) return;
    if (this.#state === 'closed') {
      this.#failures = 0;
      this.#window?.add(true, now);
      return;
    }
    this.#probes.delete(permit);
    this.#successes += 1;
    if (this.#successes >= this.#options.probes) this.#become('closed');
  }

  fail(permit: number, now: number): void {
    if (permit < this.#firstPermit) return;
    if (this.#state === 'half-open') return this.#open(now, this.#options.openMs);
    this.#failures += 1;
    this.#window?.add(false, now);
    if (this.#tripped(now)) this.#open(now, this.#options.openMs);
  }

  /** The attempt ended without telling anything about the peer (cancelled, wrong setting). */
  ignore(permit: number): void {
    this.#probes.delete(permit);
  }

  exportState(): BreakerRecord {
    return {
      state: this.#state,
      remainingMs: this.remainingMs,
      failures: this.#failures,
      window: this.#window?.export(this.#clock.mono()) ?? [],
    };
  }

  /** Takes over what `exportState` gave, also after a restart. Anything else is ignored. */
  restoreState(record: unknown): void {
    if (typeof record !== 'object' || record === null) return;
    const { state, remainingMs, failures, window } = record as Partial<Record<keyof BreakerRecord, unknown>>;
    const now = this.#clock.mono();
    if (state === 'open') this.#open(now, bounded(remainingMs, this.#options.openMs));
    if (state === 'half-open') this.#become('half-open');
    if (state !== 'closed') return;
    this.#become('closed');
    // One below the limit at most: opening takes a failure of this run.
    this.#failures = Math.floor(bounded(failures, Math.max(0, this.#options.failures - 1)));
    this.#window?.restore(window, now);
  }

  /** Ends the timer of an open breaker. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
  }

  #enterProbe(now: number): number {
    for (const [permit, until] of this.#probes) if (until <= now) this.#probes.delete(permit);
    if (this.#probes.size + this.#successes >= this.#options.probes) return 0;
    this.#lastPermit += 1;
    this.#probes.set(this.#lastPermit, now + this.#options.probeTimeoutMs);
    return this.#lastPermit;
  }

  #tripped(now: number): boolean {
    const { mode, failures, rate, minimumCalls } = this.#options;
    if (mode === 'consecutive') return this.#failures >= failures;
    if (!this.#window) return false;
    const { calls, failed } = this.#window.totals(now);
    return calls >= minimumCalls && failed / calls >= rate;
  }

  #open(now: number, ms: number): void {
    this.#openUntil = now + ms;
    this.#become('open');
    // Nobody may call for a while; the state that status and metrics show must still be the true one.
    this.#timer = this.#clock.timer(ms, () => {
      if (this.#state === 'open') this.#become('half-open');
    });
  }

  #become(state: BreakerState): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const changed = state !== this.#state;
    this.#state = state;
    this.#firstPermit = this.#lastPermit += 1;
    this.#failures = 0;
    this.#successes = 0;
    this.#probes.clear();
    if (state === 'closed') this.#window?.clear();
    if (changed) for (const listener of [...this.#listeners]) listener(state);
  }
}

function bounded(value: unknown, most: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(Math.max(0, value), most) : 0;
}
