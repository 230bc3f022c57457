import type { Red } from './types';

const waiting = new WeakMap<object, Set<() => void>>();

/** Runs `fn` once the flows run: before that there is no Catch node that could hear it. Returns the cancelling function. */
export function onceStarted(events: Red['events'], fn: () => void): () => void {
  const all = waiting.get(events) ?? listen(events);
  all.add(fn);
  return () => all.delete(fn);
}

/** One listener for all nodes, however many wait. */
function listen(events: Red['events']): Set<() => void> {
  const all = new Set<() => void>();
  waiting.set(events, all);
  events.on('flows:started', () => {
    const due = [...all];
    all.clear();
    for (const fn of due) fn();
  });
  return all;
}
