/** Runs the schedules of one node: one timer, one ledger, one stored document. */
import type { Clock, Log, Message, Random, StateStore, Timer } from '../../lib/core';
import type { Command } from './commands';
import { Job, type Cause, type JobSpec, type Policy, type Run, type Skip } from './job';
import { Ledger, type LedgerEntry } from './ledger';
import { payloadOf } from './payload';
import { readState, Saver, type SavedState } from './state';

export interface Plan {
  readonly specs: readonly JobSpec[];
  readonly policy: Policy;
  readonly timeZone: string;
  readonly ledgerSize: number;
  readonly runOnDeploy: boolean;
}
export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: StateStore;
  readonly emit: (msg: Message, output?: number) => void;
  readonly note: (text: string) => void;
}

/** Wall time is looked at once a minute at least, so a clock that was set is noticed by then. */
const LONGEST_SLEEP_MS = 60_000;
/** As Node-RED's inject node: the nodes behind this one may still be starting. */
const FIRST_LOOK_MS = 100;
/** A difference between wall and monotonic time above this is a clock that was set, not drift. */
const DRIFT_MS = 2000;

export class Engine {
  readonly #jobs: readonly Job[];
  readonly #ledger: Ledger;
  readonly #saver: Saver;
  readonly #format: Intl.DateTimeFormat;
  #timer: Timer | undefined;
  #looked: { readonly now: number; readonly mono: number } | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly services: Services,
    stored: unknown,
  ) {
    const { clock, random, store, log } = services;
    const saved = readState(stored);
    this.#ledger = new Ledger(plan.ledgerSize, saved.ledger);
    this.#jobs = plan.specs.map((spec) => {
      const past = saved.jobs.find(({ name, key }) => name === spec.name && key === spec.key);
      return new Job(spec, plan.policy, random, clock.now(), past);
    });
    this.#saver = new Saver(store, clock, log, () => this.#state());
    this.#format = new Intl.DateTimeFormat('en-GB', {
      timeZone: plan.timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    this.#timer = clock.timer(FIRST_LOOK_MS, () => this.#begin());
  }

  get names(): readonly string[] {
    return this.plan.specs.map(({ name }) => name);
  }

  obey({ verb, names }: Command): void {
    if (verb === 'ledger') return this.#sendLedger();
    for (const job of this.#jobs.filter(({ spec }) => names.includes(spec.name))) {
      if (verb === 'run') this.#run(job, { due: this.services.clock.now(), reason: 'message' });
      else job.paused = verb === 'pause';
    }
    this.#saver.request();
    this.#note();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#saver.close();
  }

  #begin(): void {
    if (this.plan.runOnDeploy) {
      for (const job of this.#jobs.filter(({ paused }) => !paused)) {
        this.#run(job, { due: this.services.clock.now(), reason: 'deploy' });
      }
    }
    this.#look();
    this.#saver.request();
  }

  #look(): void {
    const { clock } = this.services;
    const now = clock.now();
    const cause = this.#cause(now, clock.mono());
    this.#looked = { now, mono: clock.mono() };
    let changed = false;
    for (const job of this.#jobs) {
      const { runs, skips } = job.advance(now, cause);
      for (const skip of skips) this.#skip(job, skip);
      for (const run of runs) this.#run(job, run);
      changed ||= runs.length + skips.length > 0;
    }
    if (changed) this.#saver.request();
    this.#note();
    const next = Math.min(...this.#jobs.map(({ fireAt }) => fireAt ?? Infinity));
    const sleep = Math.min(LONGEST_SLEEP_MS, Math.max(1, next - clock.now()));
    this.#timer = clock.timer(sleep, () => this.#look());
  }

  #cause(now: number, mono: number): Cause {
    if (!this.#looked) return 'stopped';
    const leaped = now - this.#looked.now - (mono - this.#looked.mono);
    return leaped > DRIFT_MS ? 'clockForward' : 'stalled';
  }

  #run(job: Job, { due, reason }: Run): void {
    const now = this.services.clock.now();
    const { name, topic, payload } = job.spec;
    const at = new Date(now).toISOString();
    const late = Math.max(0, now - due);
    job.lastRun = at;
    this.services.emit({
      topic: topic || name,
      payload: payloadOf(payload, now),
      schedule: { name, due: new Date(due).toISOString(), fired: at, late, reason },
    });
    this.#record({ at, name, decision: 'ran', reason, due: new Date(due).toISOString(), late });
  }

  #skip({ spec }: Job, { reason, due, until, count }: Skip): void {
    const at = new Date(this.services.clock.now()).toISOString();
    this.#record({
      at,
      name: spec.name,
      decision: 'skipped',
      reason,
      due: new Date(due).toISOString(),
      late: 0,
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      ...(count === undefined ? {} : { count }),
    });
  }

  #record(entry: LedgerEntry): void {
    this.#ledger.add(entry);
    this.services.emit({ topic: 'decision', payload: entry }, 1);
  }

  #sendLedger(): void {
    const schedules = this.#jobs.map(({ spec, fireAt, paused, lastRun }) => ({
      name: spec.name,
      next: fireAt === undefined || paused ? null : new Date(fireAt).toISOString(),
      paused,
      lastRun,
    }));
    this.services.emit({ topic: 'ledger', payload: { schedules, entries: this.#ledger.list() } }, 1);
  }

  #note(): void {
    let soonest: Job | undefined;
    for (const job of this.#jobs) {
      if (!job.paused && (job.fireAt ?? Infinity) < (soonest?.fireAt ?? Infinity)) soonest = job;
    }
    const at = soonest?.fireAt;
    const text = at === undefined ? 'paused' : `${this.#format.format(at)} ${soonest?.spec.name ?? ''}`;
    this.services.note(text);
  }

  #state(): SavedState {
    const jobs = this.#jobs.map(({ spec, paused, lastRun, spans }) => {
      return { name: spec.name, key: spec.key, paused, lastRun, spans };
    });
    return { jobs, ledger: this.#ledger.list() };
  }
}
