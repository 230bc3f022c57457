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

/**
 * Groups share a broker, and a queue serves one sequence after the other. A queue that broke its word is left alone, and
 * after some groups a new server takes over: one that has seen many queues is slow.
 */
class SharedSession implements Session {
  readonly #lanes = new Map<number, SharedLane>();
  #made = 0;
  #groups = 0;

  private constructor(
    readonly broker: Broker,
    readonly width: number,
    private bed: SharedBed,
  ) {}

  static async begin(broker: Broker, width: number): Promise<SharedSession> {
    return new SharedSession(broker, width, await SharedBed.start(broker, width));
  }

  async run(
    _seed: number,
    sequences: readonly Sequence[],
    isFresh = false,
  ): Promise<{ readonly ends: readonly Ended[]; readonly crashes: number }> {
    if (!isFresh) await this.#renew();
    const all = sequences.map((sequence) => {
      const lane = this.#lane(sequence, isFresh);
      return { sequence, lane, steps: sequence.steps, before: lane.actions };
    });
    const before = this.bed.crashes;
    await runShared(this.bed, all);
    const ends = all.map(({ sequence, lane, before: actions }) => ({
      sequence,
      actions: lane.actions - actions,
      violation: lane.violation,
      trace: lane.trace,
    }));
    return { ends, crashes: this.bed.crashes - before };
  }

  close(): Promise<void> {
    return this.bed.close();
  }

  async #renew(): Promise<void> {
    this.#groups += 1;
    if (this.#groups % (this.broker.renewAfter + 1) !== 0) return;
    await this.bed.close();
    this.#lanes.clear();
    this.bed = await SharedBed.start(this.broker, this.width);
    this.#groups = 1;
  }

  #lane({ index, options }: Sequence, isFresh: boolean): SharedLane {
    const at = index % this.width;
    let lane = this.#lanes.get(at);
    if (isFresh || !lane || lane.violation !== undefined)
      this.#lanes.set(at, (lane = new SharedLane(`lane-${(this.#made += 1)}`, options, this.bed)));
    return lane;
  }
}

const asIs = (options: QueueOptions): QueueOptions => options;
const OWN = { steps: 30, reuses: false, fit: asIs } as const;
const SHARED = { steps: 20, reuses: true, tries: 40 } as const;
const LANES = 200;

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
  nats: {
    ...SHARED,
    atOnce: 3,
    able: nats.able,
    group: LANES,
    fit: nats.fit,
    begin: () => SharedSession.begin(nats, LANES),
  },
  rabbitmq: {
    ...SHARED,
    atOnce: 1,
    able: rabbit.able,
    group: LANES,
    fit: rabbit.fit,
    begin: () => SharedSession.begin(rabbit, LANES),
  },
};
