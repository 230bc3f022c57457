/** Many sequences on one store: counts, and the first violations with the shortest list that shows them. */
import { textOf, type Step } from './actions';
import { groupsOf, sequencesOf } from './plan';
import type { Ended } from './run';
import { shrink } from './shrink';
import type { Session, StoreUnderTest } from './stores';
import { pool } from '../pool';

/** Violations that are shown with their list. */
const MOST_SHOWN = 3;

export interface Range {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}
export interface Figures {
  sequences: number;
  actions: number;
  crashes: number;
  violations: number;
  readonly shown: string[];
}

export async function prove(
  name: string,
  store: StoreUnderTest,
  range: Range,
  stop?: AbortSignal,
): Promise<Figures> {
  const { seed, from, count } = range;
  const figures: Figures = { sequences: 0, actions: 0, crashes: 0, violations: 0, shown: [] };
  const failed: Ended[] = [];
  const sessions = await Promise.all(Array.from({ length: store.atOnce }, () => store.begin()));
  const free = [...sessions];
  try {
    await pool(until(stop, groupsOf(from, count, store.group)), store.atOnce, async ({ group, indexes }) => {
      const session = free.pop() as Session;
      const { ends, crashes } = await session.run(seed + group, sequencesOf(seed, group, indexes, store));
      free.push(session);
      figures.crashes += crashes;
      figures.sequences += ends.length;
      for (const end of ends) {
        figures.actions += end.actions;
        if (end.violation !== undefined) failed.push(end);
      }
    });
    figures.violations = failed.length;
    failed.sort((a, b) => a.sequence.index - b.sequence.index);
    for (const end of stop?.aborted ? [] : failed.slice(0, MOST_SHOWN))
      figures.shown.push(await show(name, store, sessions[0] as Session, range, end));
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
  return figures;
}

/** Ends the groups early, so that every server and folder is gone in the end. */
function* until<T>(stop: AbortSignal | undefined, all: Iterable<T>): Generator<T> {
  for (const one of all) {
    if (stop?.aborted) return;
    yield one;
  }
}

async function show(
  name: string,
  store: StoreUnderTest,
  session: Session,
  { seed }: Range,
  end: Ended,
): Promise<string> {
  const { sequence, violation } = end;
  let last = violation;
  const fails = async (steps: readonly Step[]): Promise<boolean> => {
    const { ends } = await session.run(seed, [{ ...sequence, steps }], true);
    if (ends[0]?.violation !== undefined) last = ends[0].violation;
    return ends[0]?.violation !== undefined;
  };
  const fewest = await shrink(sequence.steps, fails, store.tries);
  const again = `npm run prove:model -- --store ${name} --seed ${seed}`;
  const group = Math.floor(sequence.index / store.group) * store.group;
  return [
    `${name}, sequence ${sequence.index}: ${last ?? ''}`,
    `  options ${JSON.stringify(sequence.options)}`,
    ...(fewest ?? sequence.steps).map((step, i) => `  ${i}. ${textOf(step)}`),
    ...(fewest ? [] : (end.trace ?? [])).map((line) => `  | ${line}`),
    fewest
      ? `Again: ${again} --from ${sequence.index} --count 1`
      : `Alone it does not fail. With its neighbours: ${again} --from ${group} --count ${store.group}`,
  ].join('\n');
}
