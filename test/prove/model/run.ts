/** Runs sequences side by side on one store: a step of each at a time, so that what meets the store meets all alike. */
import type { QueueOptions } from '../../../lib/queue';
import type { Action, CrashKind, Event, Step } from './actions';
import type { Bed } from './bed';
import type { Given } from './apply';
import { Violation } from './judge';
import { Lane, type Became } from './lane';

export interface Sequence {
  readonly index: number;
  readonly options: QueueOptions;
  readonly steps: readonly Step[];
}
export interface Ended {
  readonly sequence: Sequence;
  readonly actions: number;
  readonly violation: string | undefined;
  /** What was asked and answered, where the store does not repeat itself exactly. */
  readonly trace?: readonly string[];
}

/** Longer than the longest delay of a sequence. */
const DELAYS_MS = 1001;
const EVERYTHING = { do: 'lease', max: 1000, perKey: 1000, visibilityMs: 600_000 } as const;

export class Run {
  readonly #lanes: readonly { readonly lane: Lane; readonly sequence: Sequence }[];
  #now = 0;
  #step = 0;

  /** All sequences have the same events. */
  constructor(
    readonly bed: Bed,
    sequences: readonly Sequence[],
  ) {
    this.#lanes = sequences.map((sequence) => ({
      sequence,
      lane: new Lane(`queue-${sequence.index}`, sequence.options, bed),
    }));
  }

  async all(): Promise<Ended[]> {
    await this.#each((lane) => lane.open());
    this.#now = await this.bed.running();
    const steps = Math.max(0, ...this.#lanes.map(({ sequence }) => sequence.steps.length));
    for (this.#step = 0; this.#step < steps; this.#step += 1) {
      await this.#meet(this.#lanes.find(({ sequence }) => sequence.steps[this.#step]?.event)?.sequence);
    }
    await this.#drain();
    return this.#lanes.map(({ lane, sequence }) => ({
      sequence,
      actions: lane.actions,
      violation: lane.violation,
    }));
  }

  async #meet(sequence: Sequence | undefined): Promise<void> {
    const event: Event | undefined = sequence?.steps[this.#step]?.event;
    if (event?.do === 'crash') return this.#crash(event.how);
    if (event?.do === 'time') await this.#pass(event.ms);
    if (event?.do === 'restart') {
      await this.bed.restart();
      await this.#back(false, false);
    }
    await this.#each(async (lane, action) => {
      lane.judge.begin(this.#step, this.#now);
      if (action) await lane.act(action, this.#step);
      await lane.look();
    });
  }

  async #pass(ms: number): Promise<void> {
    await this.bed.advance(ms);
    this.#now += ms;
  }

  async #crash(how: CrashKind): Promise<void> {
    const prepared = new Map<Lane, Given>();
    const ends = new Map<Lane, Became>();
    await this.#each(async (lane, action) => {
      lane.judge.begin(this.#step, this.#now);
      const given = action && action.do !== 'reopen' ? await lane.prepare(action, this.#step) : undefined;
      if (given) prepared.set(lane, given);
    });
    const begin = (): Promise<unknown> =>
      this.#each(async (lane, action) => {
        const given = prepared.get(lane);
        if (given && action) ends.set(lane, await lane.fire(action, given));
      });
    const { handlesSurvive, answersHold } = await this.bed.crash(how, begin);
    await this.#each(async (lane, action) => {
      const given = prepared.get(lane);
      const became = answersHold ? ends.get(lane) : 'unknown';
      if (!given || !action || became === 'untouched' || became === undefined) return;
      lane.judge.acted(action, given, became === 'unknown' ? undefined : became.answer);
    });
    await this.#back(true, handlesSurvive);
    await this.#each((lane) => lane.look());
  }

  /** The store is there again. Time in which it was not there does not count, and a crash may lose a little more. */
  async #back(crash: boolean, handlesSurvive: boolean): Promise<void> {
    const before = this.#now;
    this.#now = await this.bed.running();
    await this.#each(async (lane) => {
      if (this.#now > before + (handlesSurvive ? 60_000 : 0) || this.#now < before - (crash ? 60_000 : 0))
        throw new Violation(`running time went from ${before} to ${this.#now}`);
      if (!handlesSurvive) await lane.open();
      lane.judge.ended(crash, this.#now);
    });
  }

  /** In the end everything comes out: what is there, and then what died. */
  async #drain(): Promise<void> {
    await this.#each((lane) => this.#do(lane, { do: 'reopen' }));
    await this.#pass(DELAYS_MS);
    await this.#each(async (lane) => {
      await this.#empty(lane);
      await lane.list();
      await this.#do(lane, { do: 'replay' });
      await this.#empty(lane);
      await lane.list();
      await lane.look();
    });
  }

  async #empty(lane: Lane): Promise<void> {
    do {
      await this.#do(lane, EVERYTHING);
      while (lane.judge.likely.records.some(({ state }) => state === 'leased'))
        await this.#do(lane, { do: 'acknowledge', of: { at: 0, live: true } });
    } while (lane.judge.likely.records.length > 0);
  }

  async #do(lane: Lane, action: Action): Promise<void> {
    lane.judge.begin(this.#step, this.#now);
    await lane.act(action, this.#step);
  }

  async #each(work: (lane: Lane, action: Action | undefined) => Promise<unknown>): Promise<void> {
    await Promise.all(
      this.#lanes.map(({ lane, sequence }) =>
        lane.guard(() => work(lane, sequence.steps[this.#step]?.action)),
      ),
    );
  }
}
