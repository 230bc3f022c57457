/** The stores that the model is held against. */
import type { QueueOptions, QueueStore } from '../../../lib/queue';
import type { Bed } from './bed';
import { FILE, FileBed } from './bed-file';
import { MEMORY, memoryBed } from './bed-memory';
import { nats, rabbit } from './brokers';
import type { Abilities } from './generate';
import { Run, type Ended, type Sequence } from './run';
import { SharedBed, type Broker } from './shared-bed';
import { SharedLane } from './shared-lane';
import { runShared } from './shared-run';

export interface Session {
  /** `isFresh`: on queues that nobody used before. */
  run(
    seed: number,
    sequences: readonly Sequence[],
    isFresh?: boolean,
  ): Promise<{ readonly ends: readonly Ended[]; readonly crashes: number }>;
  close(): Promise<void>;
}
export interface StoreUnderTest {
  readonly able: Abilities;
  /** Actions of a sequence, before everything is taken out at its end. */
  readonly steps: number;
  /** Sequences side by side on one store. */
  readonly group: number;
  /** Groups at the same time. */
  readonly atOnce: number;
  /** A queue serves one sequence after the other, because making one takes the broker long. */
  readonly reuses: boolean;
  /** Runs that shrinking a failing sequence may cost. */
  readonly tries: number;
  /** Options that the store cannot take are replaced. */
  fit(options: QueueOptions): QueueOptions;
  begin(): Promise<Session>;
}

/** Every group gets a store of its own. */
function own(start: (seed: number) => Promise<Bed>): () => Promise<Session> {
  const run: Session['run'] = async (seed, sequences) => {
    const bed = await start(seed);
    try {
      return { ends: await new Run(bed, sequences).all(), crashes: bed.crashes };
    } finally {
      await bed.close();
    }
  };
  return async () => ({ run, close: async () => {} });
}

/** All groups use one broker. A queue that broke its word is left alone. */
function shared(broker: Broker, group: number): () => Promise<Session> {
  return async () => {
    const bed = await SharedBed.start(broker, group);
    const lanes = new Map<number, SharedLane>();
    let made = 0;
    const laneOf = ({ index, options }: Sequence, isFresh: boolean): SharedLane => {
      const at = index % group;
      let lane = lanes.get(at);
      if (isFresh || !lane || lane.violation !== undefined)
        lanes.set(at, (lane = new SharedLane(`lane-${(made += 1)}`, options, bed)));
      return lane;
    };
    const run: Session['run'] = async (_seed, sequences, isFresh = false) => {
      const all = sequences.map((sequence) => ({
        sequence,
        lane: laneOf(sequence, isFresh),
        steps: sequence.steps,
      }));
      const before = { crashes: bed.crashes, actions: all.map(({ lane }) => lane.actions) };
      await runShared(bed, all);
      const ends = all.map(({ sequence, lane }, i) => {
        const actions = lane.actions - (before.actions[i] ?? 0);
        return { sequence, actions, violation: lane.violation, trace: lane.trace };
      });
      return { ends, crashes: bed.crashes - before.crashes };
    };
    return { run, close: () => bed.close() };
  };
}

const asIs = (options: QueueOptions): QueueOptions => options;
const OWN = { steps: 30, reuses: false, fit: asIs } as const;
const SHARED = { steps: 20, atOnce: 1, reuses: true, tries: 40 } as const;
const LANES = 400;

export const MEMORY_STORE: StoreUnderTest = brokenMemory((store) => store);

/** The memory store behind a fault. */
export function brokenMemory(wrap: (store: QueueStore) => QueueStore): StoreUnderTest {
  return { ...OWN, able: MEMORY, group: 200, atOnce: 1, tries: 1000, begin: own(() => memoryBed(wrap)) };
}

export const FILE_STORE: StoreUnderTest = {
  ...OWN,
  able: FILE,
  group: 500,
  atOnce: 2,
  tries: 60,
  begin: own((seed) => FileBed.start(seed)),
};

export const STORES: Readonly<Record<string, StoreUnderTest>> = {
  memory: MEMORY_STORE,
  file: FILE_STORE,
  nats: { ...SHARED, able: nats.able, group: LANES, fit: nats.fit, begin: shared(nats, LANES) },
  rabbitmq: { ...SHARED, able: rabbit.able, group: LANES, fit: rabbit.fit, begin: shared(rabbit, LANES) },
};
