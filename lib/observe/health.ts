import { silentLog, type Clock, type Failure, type Log } from '../core';
import { HEALTHY, isHeldBack, judge, UNKNOWN, verdictOf, type Verdict } from './health-state';
import type { BreakerState } from './meter';
import type { HealthBoard, HealthReport, HealthState } from './types';
import { MinuteWindow } from './window';

export interface TrackInfo {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly simulated: boolean;
}

/** Takes the facts about one connection and derives its state. */
export interface HealthTracker {
  /** A call or a ping succeeded. `now` is the clock's `mono()` where the caller has just read it. */
  success(ms: number, now?: number): void;
  /** A call, a ping or an opening failed. */
  failure(failure: Failure): void;
  /** The life cycle knows better than calls: connecting, closed, reopened. Holds until the next event. */
  state(state: HealthState, reason: string): void;
  breaker(state: BreakerState): void;
  /** While a warning stands, the best state is degraded. Undefined removes it. */
  warning(sentence: string | undefined): void;
  /** Takes the connection off the board. */
  remove(): void;
  report(): HealthReport;
}

export type TrackingHealthBoard = HealthBoard & { track(info: TrackInfo): HealthTracker };

/** The health of all connections of a runtime. A listener that throws is logged and stops nothing. */
export function createHealthBoard(clock: Clock, log: Log = silentLog): TrackingHealthBoard {
  const trackers = new Map<string, Tracker>();
  const listeners = new Set<(report: HealthReport) => void>();
  const changed = (tracker: Tracker): void => {
    if (trackers.get(tracker.id) !== tracker || listeners.size === 0) return;
    const report = tracker.describe();
    for (const listener of [...listeners]) {
      try {
        listener(report);
      } catch (error) {
        log.error(`A listener of the health board failed: ${String(error)}`);
      }
    }
  };
  const removed = (tracker: Tracker): void => {
    if (trackers.get(tracker.id) === tracker) trackers.delete(tracker.id);
  };
  return {
    track(info) {
      const tracker = new Tracker(info, clock, changed, removed);
      trackers.set(info.id, tracker);
      return tracker;
    },
    reports: () => [...trackers.values()].map((tracker) => tracker.report()),
    onChange(fn) {
      // A function of its own, so that one callback may listen twice.
      const listener = (report: HealthReport): void => fn(report);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

class Tracker implements HealthTracker {
  readonly #info: TrackInfo;
  readonly #clock: Clock;
  readonly #changed: (tracker: Tracker) => void;
  readonly #removed: (tracker: Tracker) => void;
  readonly #window = new MinuteWindow();
  #base: Verdict = UNKNOWN;
  #shown: Verdict = UNKNOWN;
  #since: number;
  #breaker: BreakerState = 'closed';
  #warning: string | undefined;
  #failuresInRow = 0;
  #lastFailure: Failure | undefined;
  #lastFailureAt = 0;
  /** Monotonic: reading both clocks would double the price of a success. */
  #lastSuccessAt: number | undefined;

  constructor(
    info: TrackInfo,
    clock: Clock,
    changed: (tracker: Tracker) => void,
    removed: (tracker: Tracker) => void,
  ) {
    this.#info = info;
    this.#clock = clock;
    this.#changed = changed;
    this.#removed = removed;
    this.#since = clock.now();
  }

  get id(): string {
    return this.#info.id;
  }

  success(ms: number, now = this.#clock.mono()): void {
    this.#window.success(now, ms);
    this.#lastSuccessAt = now;
    this.#failuresInRow = 0;
    this.#base = HEALTHY;
    // The common case, some ten nanoseconds instead of a hundred.
    const calm = this.#breaker === 'closed' && this.#warning === undefined && this.#window.faults === 0;
    if (!calm || this.#shown !== HEALTHY) this.#derive();
  }

  failure(failure: Failure): void {
    if (failure.kind === 'cancelled') return;
    if (isHeldBack(failure, this.#base)) {
      this.#window.failure(this.#clock.mono(), false);
      return;
    }
    const verdict = verdictOf(failure);
    this.#window.failure(this.#clock.mono(), verdict !== undefined);
    this.#lastFailure = failure;
    this.#lastFailureAt = this.#clock.now();
    if (verdict) {
      // A throttled peer is alive and only asks for time; a silent unit is not the gateway.
      if (failure.kind !== 'throttled' && !failure.partial) this.#failuresInRow += 1;
      // What is down stays down until something succeeds.
      if (verdict.state === 'unhealthy' || this.#base.state !== 'unhealthy') this.#base = verdict;
    }
    this.#derive();
  }

  state(state: HealthState, reason: string): void {
    // A session that was opened anew begins without the failures of the last one.
    if (state === 'healthy' || state === 'unknown') this.#failuresInRow = 0;
    this.#base = { state, reason };
    this.#derive();
  }

  breaker(state: BreakerState): void {
    this.#breaker = state;
    this.#derive();
  }

  warning(sentence: string | undefined): void {
    this.#warning = sentence;
    this.#derive();
  }

  remove(): void {
    this.#removed(this);
  }

  /** Time alone can change a state (failures leave the window), so it is derived anew. */
  report(): HealthReport {
    this.#window.advance(this.#clock.mono());
    this.#derive();
    return this.describe();
  }

  describe(): HealthReport {
    const { id, name, type, simulated } = this.#info;
    const lastFailure = this.#lastFailure?.toRecord();
    return {
      id,
      name,
      type,
      state: this.#shown.state,
      since: iso(this.#since),
      reason: this.#shown.reason,
      lastSuccess: this.#lastSuccess(),
      lastError: lastFailure ? { ...lastFailure, at: iso(this.#lastFailureAt) } : null,
      breaker: this.#breaker,
      simulated,
      calls: this.#window.calls,
      errors: this.#window.errors,
      latencyMs: this.#window.latencyMs,
    };
  }

  #lastSuccess(): string | null {
    if (this.#lastSuccessAt === undefined) return null;
    return iso(this.#clock.now() - (this.#clock.mono() - this.#lastSuccessAt));
  }

  #derive(): void {
    const next = judge({
      base: this.#base,
      breaker: this.#breaker,
      failuresInRow: this.#failuresInRow,
      lastFailure: this.#lastFailure,
      calls: this.#window.calls,
      faults: this.#window.faults,
      warning: this.#warning,
    });
    const { state, reason } = this.#shown;
    if (next.state === state && next.reason === reason) return;
    if (next.state !== state) this.#since = this.#clock.now();
    this.#shown = next;
    this.#changed(this);
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
