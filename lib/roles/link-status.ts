import type { HealthReport } from '../observe/types';
import type { LinkView } from './link';
import type { Status } from './status';
import { inWords } from './status-words';

export interface LinkFacts {
  readonly view: LinkView;
  readonly health: HealthReport;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Whether a standing warning, such as an unchecked certificate, is why it is degraded. */
  readonly warned: boolean;
}

/** The truth about a link in a few words, for every node that uses it (docs/decisions/0005). */
export function linkStatus({ view, health, breaker, warned }: LinkFacts): Status {
  const where = health.simulated ? ' (simulated)' : '';
  const { state, failure } = view;
  if (state === 'opening' && !failure) return { level: 'busy', text: `connecting${where}` };
  if (state === 'closed' || state === 'idle') return { level: 'off', text: `not connected${where}` };
  if (state !== 'open') {
    return { level: 'bad', text: `${inWords(failure?.code, failure?.message ?? 'disconnected')}${where}` };
  }
  if (breaker === 'open') return { level: 'bad', text: `circuit open${where}` };
  if (breaker === 'half-open') return { level: 'warn', text: `circuit half-open${where}` };
  if (health.state === 'healthy') return { level: 'good', text: `connected${where}` };
  if (health.state === 'unknown') return { level: 'idle', text: `ready${where}` };
  const words = warned ? health.reason : inWords(health.lastError?.code, health.reason);
  return { level: health.state === 'degraded' ? 'warn' : 'bad', text: `${words}${where}` };
}
