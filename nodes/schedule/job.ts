/** One schedule of the node: what is due, and whether it runs. Holds no timer and sends nothing. */
import type { Random } from '../../lib/core';
import type { TypedValue } from '../../lib/spec';
import { Coverage, type Span } from './coverage';
import type { RunReason, SkipReason } from './ledger';
import { overdueSlots, type Slot, type Slots } from './slots';

export interface JobSpec {
  readonly name: string;
  /** What the schedule is. A changed schedule has no past: nothing of it was missed. */
  readonly key: string;
  /** Among several gateways, each run is claimed before it starts. Intervals only follow the leader. */
  readonly claimed: boolean;
  readonly slots: Slots;
  readonly topic: string;
  readonly payload: TypedValue;
}

export interface Policy {
  readonly dst: 'skip' | 'once' | 'both';
  /** How many missed runs of one schedule are made up. */
  readonly makeUp: number;
  readonly jitterMs: number;
}

export interface Run {
  readonly due: number;
  readonly reason: RunReason;
}
export interface Skip {
  readonly reason: SkipReason;
  readonly due: number;
  readonly until?: number;
  readonly count?: number | null;
}
export interface Decision {
  readonly runs: readonly Run[];
  readonly skips: readonly Skip[];
}

/** Why time passed without this node looking at it. */
export type Cause = 'stopped' | 'clockForward' | 'stalled' | 'takeover' | 'unreachable';

/** A run that is late by less is late; a run that is late by more was missed. */
const GRACE_MS = 60_000;
/** A gateway without a battery-backed clock starts in the past; such times are nobody's downtime. */
const CLOCK_IS_SET = Date.UTC(2020, 0, 1);
const NOTHING: Decision = { runs: [], skips: [] };

export class Job {
  #coverage: Coverage;
  #pending: { readonly slot: Slot; readonly fireAt: number } | undefined;
  paused: boolean;
  /** ISO 8601 UTC; null before the first run. */
  lastRun: string | null = null;

  constructor(
    readonly spec: JobSpec,
    private readonly policy: Policy,
    private readonly random: Random,
    now: number,
    saved?: { readonly paused: boolean; readonly lastRun: string | null; readonly spans: readonly Span[] },
  ) {
    this.#coverage = new Coverage(now, saved?.spans);
    this.paused = saved?.paused ?? false;
    this.lastRun = saved?.lastRun ?? null;
    this.#plan();
  }

  /** When the next run starts, jitter included, in wall time; undefined when there is none. */
  get fireAt(): number | undefined {
    return this.#pending?.fireAt;
  }

  get spans(): readonly Span[] {
    return this.#coverage.spans;
  }

  /** What another gateway did counts as if this one had done it. */
  adopt(past: { readonly lastRun: string | null; readonly spans: readonly Span[] }, now: number): void {
    this.#coverage.adopt(past.spans, now);
    if (past.lastRun !== null && past.lastRun > (this.lastRun ?? '')) this.lastRun = past.lastRun;
    this.#plan();
  }

  /** Takes decisions back that could not be carried out: `spans` is what there was before them. */
  undo(spans: readonly Span[]): void {
    this.#coverage = new Coverage(0, spans);
    this.#plan();
  }

  /** Decides about everything that is due by `now`. */
  advance(now: number, cause: Cause): Decision {
    if (now < this.#coverage.to) return this.#setBack(now);
    const pending = this.#pending;
    if (!pending || now < pending.fireAt) {
      this.#coverage.extend(pending ? Math.min(now, pending.slot.due - 1) : now);
      return NOTHING;
    }
    const decision = this.#decide(this.#undecidedFrom(now), now, cause);
    this.#plan();
    return decision;
  }

  /** Time before the clock was set does not count as missed; time before the power went does. */
  #undecidedFrom(now: number): number {
    const { to } = this.#coverage;
    if (to >= CLOCK_IS_SET || now < CLOCK_IS_SET) return to;
    const before = this.#coverage.endBefore(now);
    return before !== undefined && before >= CLOCK_IS_SET ? before : now;
  }

  #decide(from: number, now: number, cause: Cause): Decision {
    const fresh: Slots = { next: (after) => this.#uncovered(after) };
    // One more than can run, so that the ledger can say until when runs were skipped.
    const { newest, total } = overdueSlots(fresh, from, now, Math.max(this.policy.makeUp, 1) + 1);
    const first = newest.length > 0 ? fresh.next(from) : undefined;
    if (!first) {
      this.#coverage.leap(now, now);
      return NOTHING;
    }
    if (this.paused) {
      this.#close(from, now);
      return { runs: [], skips: [group('paused', first, newest.at(-1) ?? first, total)] };
    }
    const allowed = newest.filter(({ dst }) => !this.#isExcluded(dst));
    const excluded = newest.filter(({ dst }) => this.#isExcluded(dst));
    const last = allowed.at(-1);
    const onTime = last !== undefined && now - last.due <= GRACE_MS + this.policy.jitterMs;
    const keep = Math.max(this.policy.makeUp, onTime ? 1 : 0);
    const running = keep > 0 ? allowed.slice(-keep) : [];
    const runs = running.map((slot) => ({ due: slot.due, reason: reasonOf(slot, slot === last && onTime) }));

    const skips: Skip[] = excluded.map(({ due, dst }) => ({ due, reason: dst === 'gap' ? 'gap' : 'repeat' }));
    const left = total === undefined ? undefined : total - runs.length - excluded.length;
    if (left === 0) {
      this.#close(from, now);
      return { runs, skips };
    }
    const lastSkipped = allowed[allowed.length - running.length - 1] ?? first;
    skips.unshift(group(cause, first, lastSkipped, left));
    // Skipped runs stay open: when the clock is set back, they are really due.
    this.#coverage.leap((running[0]?.due ?? now + 1) - 1, now);
    return { runs, skips };
  }

  /** Everything in (from, now] is dealt with. */
  #close(from: number, now: number): void {
    if (from === this.#coverage.to) this.#coverage.extend(now);
    else this.#coverage.leap(from, now);
  }

  #isExcluded(dst: Slot['dst']): boolean {
    return (dst === 'gap' && this.policy.dst === 'skip') || (dst === 'repeat' && this.policy.dst !== 'both');
  }

  #setBack(now: number): Decision {
    const end = this.#coverage.to;
    this.#coverage.leap(now, now);
    this.#plan();
    const first = this.spec.slots.next(now);
    if (!first || first.due > end) return NOTHING;
    const { newest, total } = overdueSlots(this.spec.slots, now, end, 1);
    return { runs: [], skips: [group('clockBack', first, newest[0] ?? first, total)] };
  }

  #uncovered(after: number): Slot | undefined {
    let slot = this.spec.slots.next(after);
    for (let end = slot && this.#coverage.endOf(slot.due); slot && end !== undefined;) {
      slot = this.spec.slots.next(end);
      end = slot && this.#coverage.endOf(slot.due);
    }
    return slot;
  }

  #plan(): void {
    const slot = this.#uncovered(this.#coverage.to);
    if (!slot || this.policy.jitterMs === 0) {
      this.#pending = slot && { slot, fireAt: slot.due };
      return;
    }
    const following = this.spec.slots.next(slot.due)?.due ?? Infinity;
    const room = Math.min(this.policy.jitterMs, following - slot.due - 1);
    this.#pending = { slot, fireAt: slot.due + Math.floor(this.random() * room) };
  }
}

function reasonOf(slot: Slot, onTime: boolean): RunReason {
  if (!onTime) return 'missed';
  return slot.dst === 'gap' ? 'gap' : 'schedule';
}

function group(reason: SkipReason, first: Slot, last: Slot, count: number | undefined): Skip {
  return count === 1
    ? { reason, due: first.due }
    : { reason, due: first.due, until: last.due, count: count ?? null };
}
