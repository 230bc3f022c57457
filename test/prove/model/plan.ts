/** Which sequences run side by side, and what they are. */
import { actionsOf, eventsOf, optionsOf } from './generate';
import type { Sequence } from './run';
import type { StoreUnderTest } from './stores';

/** The sequences of one group, or some of them. All of a group meet the same events. */
export function sequencesOf(
  seed: number,
  group: number,
  indexes: readonly number[],
  store: Pick<StoreUnderTest, 'able' | 'group' | 'steps' | 'reuses' | 'fit'>,
): Sequence[] {
  const { able, steps } = store;
  const events = eventsOf(seed, group, steps, able);
  return indexes.map((index) => {
    const options = store.fit(optionsOf(seed, store.reuses ? index % store.group : index, able));
    const actions = actionsOf(seed, index, steps, able, options.duplicateWindowMs > 0);
    return { index, options, steps: actions.map((action, step) => ({ event: events[step], action })) };
  });
}

/** Groups begin at whole multiples, so that a sequence meets the same events however it is asked for. */
export function* groupsOf(
  from: number,
  count: number,
  size: number,
): Generator<{ readonly group: number; readonly indexes: readonly number[] }> {
  for (let at = from; at < from + count;) {
    const group = Math.floor(at / size);
    const end = Math.min(from + count, (group + 1) * size);
    const first = at;
    yield { group, indexes: Array.from({ length: end - at }, (_, i) => first + i) };
    at = end;
  }
}
