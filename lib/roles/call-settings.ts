import type { Clock, Message } from '../core';
import type { RetryOptions } from '../policy/retry';
import type { CallSettings } from './framework-fields';

export function retryOptions(settings: CallSettings): RetryOptions {
  return {
    strategy: settings.retryStrategy,
    attempts: settings.retryStrategy === 'none' ? 1 : settings.retryAttempts,
    baseMs: settings.retryBase,
    maxMs: settings.retryMax,
  };
}

const LONGEST_KEY = 200;

/** Idempotency keys: the message's own (a replay keeps it), else one that no other call of any node has. */
export function keySource(clock: Clock, random: () => number, nodeId: string): (msg: Message) => string {
  const prefix = `${nodeId}-${clock.now().toString(36)}${Math.floor(random() * 36 ** 6).toString(36)}-`;
  let count = 0;
  return (msg) => {
    const own = msg.idempotencyKey;
    if (typeof own === 'string' && own !== '' && own.length <= LONGEST_KEY) return own;
    count += 1;
    return prefix + String(count);
  };
}
