/** Watches several entries of the shared state at once. */
import { toFailure, type Log } from '../../lib/core';
import type { Json, SharedState } from '../../lib/queue/cluster';

/** Returns what ends it, also while the watching is still being set up. Removals are not told. */
export function watchAll(
  shared: SharedState,
  listeners: Readonly<Record<string, (value: Json) => void>>,
  log: Log,
): () => void {
  let over = false;
  const ends: (() => void)[] = [];
  for (const [key, fn] of Object.entries(listeners)) {
    shared
      .watch(key, (entry) => {
        if (entry && !over) fn(entry.value);
      })
      .then(
        (end) => (over ? end() : void ends.push(end)),
        // It is asked for again when the connection opens again; until then leases are polled.
        (error: unknown) => log.debug(`What other gateways do is not seen: ${toFailure(error).message}`),
      );
  }
  return () => {
    over = true;
    for (const end of ends.splice(0)) end();
  };
}
