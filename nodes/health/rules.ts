/** Alert rules over health reports: raise after a condition held for a while, clear after it ended for a while. */
import type { Clock } from '../../lib/core';
import type { HealthReport } from '../../lib/observe/types';

export type Condition = 'unhealthy' | 'errorRate' | 'latency';

export interface Rule {
  readonly name: string;
  readonly condition: Condition;
  /** Percent for the error rate, milliseconds for the latency; unused for `unhealthy`. */
  readonly above: number;
  /** Fewer calls than this in the last minute say nothing about an error rate or a latency. */
  readonly minCalls: number;
  /** How long the condition must hold before the alert is raised, milliseconds. */
  readonly raiseAfter: number;
  /** How long the condition must be over before the alert is cleared, milliseconds. */
  readonly clearAfter: number;
}

/** Times are ISO 8601 UTC. The same `id` comes with the raising and the clearing message. */
export interface Alert {
  readonly id: string;
  readonly rule: string;
  readonly condition: Condition;
  readonly connection: { readonly id: string; readonly name: string; readonly type: string };
  readonly state: 'raised' | 'cleared';
  readonly raisedAt: string;
  readonly clearedAt: string | null;
  /** The state, the percentage or the milliseconds seen last; null when the connection is gone. */
  readonly value: string | number | null;
  readonly threshold: number | null;
  readonly reason: string;
}

interface Watch {
  /** Monotonic time since when the condition differs from what the alert says; undefined while they agree. */
  turned?: number;
  alert?: Alert;
}

/** Follows every rule for every connection. Durations are measured on the monotonic clock. */
export class AlertRules {
  readonly #watches = new Map<string, Watch>();

  constructor(
    private readonly rules: readonly Rule[],
    private readonly clock: Clock,
  ) {}

  get active(): readonly Alert[] {
    return [...this.#watches.values()].flatMap((watch) => (watch.alert ? [watch.alert] : []));
  }

  /** Returns the alerts that were raised or cleared just now. */
  check(reports: readonly HealthReport[]): Alert[] {
    const changes: Alert[] = [];
    const present = new Set<string>();
    for (const rule of this.rules) {
      for (const report of reports) {
        const key = `${rule.name}\n${report.id}`;
        present.add(key);
        const change = this.#step(key, rule, report);
        if (change) changes.push(change);
      }
    }
    return [...changes, ...this.#forget(present)];
  }

  #step(key: string, rule: Rule, report: HealthReport): Alert | undefined {
    const watch = this.#watches.get(key) ?? {};
    this.#watches.set(key, watch);
    const met = isMet(rule, report);
    if (met === (watch.alert !== undefined)) {
      delete watch.turned;
      return undefined;
    }
    watch.turned ??= this.clock.mono();
    const wait = met ? rule.raiseAfter : rule.clearAfter;
    if (this.clock.mono() - watch.turned < wait) return undefined;
    delete watch.turned;
    const now = new Date(this.clock.now()).toISOString();
    if (watch.alert) {
      const { alert } = watch;
      delete watch.alert;
      return {
        ...alert,
        state: 'cleared',
        clearedAt: now,
        value: valueOf(rule, report),
        reason: `${report.name}: ${describe(rule, report)}`,
      };
    }
    watch.alert = raise(rule, report, now);
    return watch.alert;
  }

  /** A removed connection cannot recover: its alerts end with it. */
  #forget(present: ReadonlySet<string>): Alert[] {
    const cleared: Alert[] = [];
    for (const [key, { alert }] of this.#watches) {
      if (present.has(key)) continue;
      this.#watches.delete(key);
      if (!alert) continue;
      const clearedAt = new Date(this.clock.now()).toISOString();
      const reason = `${alert.connection.name} is no longer part of the flows.`;
      cleared.push({ ...alert, state: 'cleared', clearedAt, value: null, reason });
    }
    return cleared;
  }
}

function raise(rule: Rule, report: HealthReport, raisedAt: string): Alert {
  const { id, name, type } = report;
  return {
    id: `${rule.name}/${id}/${raisedAt}`,
    rule: rule.name,
    condition: rule.condition,
    connection: { id, name, type },
    state: 'raised',
    raisedAt,
    clearedAt: null,
    value: valueOf(rule, report),
    threshold: rule.condition === 'unhealthy' ? null : rule.above,
    reason: `${name}: ${describe(rule, report)}`,
  };
}

function isMet(rule: Rule, report: HealthReport): boolean {
  if (rule.condition === 'unhealthy') return report.state === 'unhealthy';
  if (report.calls < rule.minCalls) return false;
  const value = valueOf(rule, report);
  return typeof value === 'number' && value > rule.above;
}

function valueOf(rule: Rule, report: HealthReport): string | number | null {
  if (rule.condition === 'unhealthy') return report.state;
  if (rule.condition === 'latency') return report.latencyMs;
  return report.calls === 0 ? null : (report.errors / report.calls) * 100;
}

function describe(rule: Rule, report: HealthReport): string {
  if (rule.condition === 'unhealthy') return `${report.state}; ${report.reason || 'no reason given.'}`;
  const value = valueOf(rule, report);
  if (typeof value !== 'number') return 'no calls in the last minute.';
  const limit = `the limit is ${rule.above}`;
  if (rule.condition === 'latency') return `calls take ${value.toFixed(0)} ms on average; ${limit} ms.`;
  return `${report.errors} of ${report.calls} calls failed in the last minute (${value.toFixed(1)} %); ${limit} %.`;
}
