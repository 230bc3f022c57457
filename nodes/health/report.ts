/** What a health message holds. */
import type { HealthReport, HealthState } from '../../lib/observe/types';
import type { Alert } from './rules';

export interface HealthSummary {
  /** The worst state of all watched connections. */
  readonly state: HealthState;
  readonly connections: readonly HealthReport[];
  /** Names that the node should watch and that no connection has. */
  readonly missing: readonly string[];
  readonly alerts: readonly Alert[];
}

/** From worst to best. An unknown link is worse than a healthy one: nobody has seen it work. */
const WORST_FIRST: readonly HealthState[] = ['unhealthy', 'degraded', 'unknown', 'healthy'];

/** `names` empty: every connection. */
export function selectReports(
  all: readonly HealthReport[],
  names: readonly string[],
): readonly HealthReport[] {
  return names.length === 0 ? all : all.filter(({ id, name }) => names.includes(name) || names.includes(id));
}

export function summarize(
  connections: readonly HealthReport[],
  names: readonly string[],
  alerts: readonly Alert[],
): HealthSummary {
  const missing = names.filter((one) => !connections.some(({ id, name }) => one === name || one === id));
  const states = connections.map((report) => report.state);
  if (missing.length > 0 || states.length === 0) states.push('unknown');
  const state = WORST_FIRST.find((one) => states.includes(one)) ?? 'unknown';
  return { state, connections, missing, alerts };
}

/** The node's status: "2 healthy, 1 unhealthy, 1 alert". */
export function statusText({ connections, missing, alerts }: HealthSummary): string {
  const counts = WORST_FIRST.toReversed().flatMap((state) => {
    const n = connections.filter((report) => report.state === state).length;
    return n > 0 ? [`${n} ${state}`] : [];
  });
  if (missing.length > 0) counts.push(`${missing.length} missing`);
  if (alerts.length > 0) counts.push(alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`);
  return counts.length > 0 ? counts.join(', ') : 'no connections';
}

export function statusLevel({ state, alerts }: HealthSummary): 'good' | 'warn' | 'bad' {
  if (state === 'unhealthy') return 'bad';
  return state === 'healthy' && alerts.length === 0 ? 'good' : 'warn';
}
