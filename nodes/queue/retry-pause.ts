import type { Random } from '../../lib/core';

export interface RetryPause {
  readonly strategy: 'none' | 'fixed' | 'doubling';
  readonly firstMs: number;
  readonly longestMs: number;
}

/** How long a message rests after its delivery of this number failed. Doubling pauses have equal jitter. */
export function pauseAfter(delivery: number, pause: RetryPause, random: Random): number {
  if (pause.strategy === 'none') return 0;
  if (pause.strategy === 'fixed') return pause.firstMs;
  const full = Math.min(pause.longestMs, pause.firstMs * 2 ** Math.min(delivery - 1, 40));
  return full / 2 + (full / 2) * random();
}
