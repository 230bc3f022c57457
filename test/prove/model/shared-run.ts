/** Runs sequences side by side on one broker, and leaves their queues empty for the next. */
import type { Step } from './actions';
import { Violation } from './judge';
import type { SharedBed } from './shared-bed';
import type { Fired, SharedLane } from './shared-lane';

const DRAIN_LIMIT_MS = 60_000;
/** Counts cost a broker more than an action. */
const LOOK_EVERY = 3;

export interface SharedSequence {
  readonly lane: SharedLane;
  readonly steps: readonly Step[];
}

export async function runShared(bed: SharedBed, sequences: readonly SharedSequence[]): Promise<void> {
  const each = (work: (lane: SharedLane, steps: readonly Step[]) => Promise<unknown>): Promise<unknown> =>
    Promise.all(sequences.map(({ lane, steps }) => lane.guard(() => work(lane, steps))));
  await each((lane) => lane.begin());
  const length = Math.max(0, ...sequences.map(({ steps }) => steps.length));
  for (let step = 0; step < length; step += 1) {
    const event = sequences.find(({ steps }) => steps[step]?.event)?.steps[step]?.event;
    if (event?.do === 'time') bed.clock.skip(event.ms);
    if (event?.do === 'crash') {
      const fired = new Map<SharedLane, Fired | undefined>();
      const how = event.how === 'kill' ? 'kill' : 'connection';
      const begin = (): Promise<unknown> =>
        each(async (lane, steps) => {
          const action = steps[step]?.action;
          if (action && action.do !== 'reopen') fired.set(lane, await lane.fire(action, step, true));
        });
      await bed.crash(how, begin);
      await each(async (lane) => {
        const one = fired.get(lane);
        if (one) lane.judged(one);
        lane.trace.push(how);
        lane.judge.lost(how === 'kill');
        await lane.open();
      });
      continue;
    }
    await each(async (lane, steps) => {
      const action = steps[step]?.action;
      if (action) await lane.act(action, step);
      if (step % LOOK_EVERY === 0) await lane.look();
    });
  }
  await each((lane) => drain(lane, length));
}

/** Everything comes out: what is there, and then what died. */
async function drain(lane: SharedLane, step: number): Promise<void> {
  await lane.act({ do: 'reopen' }, step);
  await empty(lane, step);
  await lane.list();
  for (let dead = 1, tries = 0; dead > 0 && tries < 100; tries += 1) {
    await lane.act({ do: 'replay' }, step);
    await empty(lane, step);
    dead = (await lane.counts()).dead;
  }
  await lane.look();
  await lane.list();
  const left = [...lane.judge.known.values()].find(({ places }) => places.every(({ dead }) => dead > 0));
  if (left) throw new Violation(`${left.id} is lost from the dead letters`);
  await lane.totals();
  await lane.close();
}

async function empty(lane: SharedLane, step: number): Promise<void> {
  for (const end = performance.now() + DRAIN_LIMIT_MS; ;) {
    const nothing = await lane.takeAll(step);
    if ((await lane.counts()).there === 0) return lane.judge.empty();
    if (performance.now() > end) throw new Violation(`the queue does not empty: ${lane.judge.summary()}`);
    if (nothing) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
