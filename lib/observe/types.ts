import type { FailureRecord } from '../core';

export const HEALTH_STATES = ['unknown', 'healthy', 'degraded', 'unhealthy'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/** The state of one connection. Times are ISO 8601 UTC. */
export interface HealthReport {
  readonly id: string;
  readonly name: string;
  /** Node type of the connection: holdfast-modbus-connection. */
  readonly type: string;
  readonly state: HealthState;
  readonly since: string;
  /** One sentence: why it is in this state. */
  readonly reason: string;
  readonly lastSuccess: string | null;
  readonly lastError: (FailureRecord & { readonly at: string }) | null;
  readonly breaker: 'closed' | 'open' | 'half-open';
  readonly simulated: boolean;
  /** Over the last minute. */
  readonly calls: number;
  readonly errors: number;
  /** Mean over the last minute in milliseconds; null without calls. */
  readonly latencyMs: number | null;
}

/** What the health node and the health endpoint read. */
export interface HealthBoard {
  reports(): readonly HealthReport[];
  /** Called after any state change. Returns the function that removes the listener. */
  onChange(fn: (report: HealthReport) => void): () => void;
}
