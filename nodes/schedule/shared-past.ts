/** What the gateways of a group tell each other: which times each schedule has dealt with. */
import { createHash } from 'node:crypto';
import type { Json } from '../../lib/queue/cluster';
import { isSpan, type Span } from './coverage';

export interface PastJob {
  readonly name: string;
  readonly key: string;
  readonly lastRun: string | null;
  readonly spans: readonly Span[];
}
export interface SharedPast {
  /** The running node that wrote it. */
  readonly by: string;
  /** Of the lease under which it was written. */
  readonly fence: number;
  /** What it tells about a schedule, if anything. */
  of(name: string, key: string): Omit<PastJob, 'name' | 'key'> | undefined;
}

/** Two hundred schedules fit into one entry of the shared state with these. */
const SPANS = 4;

export function pastToShare(by: string, fence: number, jobs: readonly PastJob[]): Json {
  const told = jobs.map(({ name, key, lastRun, spans }): Json => [
    idOf(name, key),
    lastRun,
    spans.slice(-SPANS),
  ]);
  return { by, fence, jobs: told };
}

/** Other gateways are not trusted to write sense; what is none is left out. */
export function readPast(value: unknown): SharedPast | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { by, fence, jobs } = value as Partial<Record<'by' | 'fence' | 'jobs', unknown>>;
  if (typeof by !== 'string' || typeof fence !== 'number' || !(fence >= 0) || !Array.isArray(jobs))
    return undefined;
  const known = new Map((jobs as unknown[]).flatMap(readJob));
  return { by, fence, of: (name, key) => known.get(idOf(name, key)) };
}

function readJob(value: unknown): [string, { lastRun: string | null; spans: readonly Span[] }][] {
  if (!Array.isArray(value)) return [];
  const [id, run, spans] = value as unknown[];
  if (typeof id !== 'string' || !Array.isArray(spans) || !spans.every(isSpan) || spans.length > SPANS)
    return [];
  return [[id, { lastRun: typeof run === 'string' ? run.slice(0, 40) : null, spans }]];
}

/** Short, whatever the name and the expression are. */
function idOf(name: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([name, key]))
    .digest('base64url')
    .slice(0, 16);
}
