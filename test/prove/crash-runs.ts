/** One folder with its ledger, through kill after kill until it is drained and judged. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { check, type Verdict } from './check';
import type { LedgerEvent } from './ledger';
import { run, type Outcome, type RunOptions } from './process';
import { DRAIN, WINDOW, workOf } from './scenarios';
import type { Work } from './victim';

export class Place {
  readonly events: LedgerEvent[] = [];
  readonly #notes: string[] = [];
  /** What every run on this folder must be given. */
  #common: Partial<Work> = {};

  constructor(
    readonly program: string,
    readonly folder: string,
    readonly seed: number,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  /** The same files and the same ledger, elsewhere. */
  copy(folder: string): Place {
    const place = new Place(this.program, folder, this.seed);
    cpSync(this.folder, folder, { recursive: true });
    for (const event of this.events) place.events.push(event);
    place.#common = this.#common;
    return place;
  }

  /** Runs a process on the folder. Only one that was killed or ended well is without fault. */
  async run(part: Partial<Work>, options: RunOptions = {}): Promise<Outcome> {
    if (part.duplicateWindowMs !== undefined)
      this.#common = { duplicateWindowMs: part.duplicateWindowMs, ...this.#common };
    const again = this.#common.duplicateWindowMs === undefined ? {} : { again: unanswered(this.events) };
    const work = workOf({ ...this.#common, ...again, ...part }, this.folder, this.seed + this.events.length);
    const outcome = await run(this.program, work, options);
    // Not spread: a process that loops tells more than a call takes as arguments.
    for (const event of outcome.events) this.events.push(event);
    const { hung, code, signal, errors } = outcome;
    if (hung) this.#notes.push(`A process neither ended nor died in time. ${errors}`);
    if (signal !== 'SIGKILL' && code !== 0)
      this.#notes.push(`A process ended with ${code ?? signal ?? ''}: ${errors}`);
    return outcome;
  }

  /** Drains what is left, judges, and removes the folder. */
  async end(maxDeliveries = 0): Promise<Verdict> {
    await this.run({ ...DRAIN, maxDeliveries });
    const verdict = check(this.events, { window: WINDOW, maxDeliveries });
    this.remove();
    return { ...verdict, wrong: [...verdict.wrong, ...this.#notes] };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function wasKilled({ signal }: Outcome): boolean {
  return signal === 'SIGKILL';
}

/** Ends the run with the event of this number. */
export function killAfter(count: number): RunOptions {
  let seen = 0;
  return {
    onEvent: (_event, { kill }) => {
      seen += 1;
      if (seen === count) kill();
    },
  };
}

function unanswered(events: readonly LedgerEvent[]): NonNullable<Work['again']> {
  const open = new Map<string, { id: string; key: string; n: number }>();
  for (const event of events) {
    if (event.e === 'try') open.set(event.id, { id: event.id, key: event.key, n: event.n });
    if (event.e === 'put') open.delete(event.id);
  }
  return [...open.values()];
}

export function placeIn(directory: string, program: string, name: string, seed: number): Place {
  return new Place(program, join(directory, name), seed);
}
