/** Runs the schedules of one node: one timer, one ledger, one stored document. */
import type { Clock, Log, Message, Random, StateStore, Timer } from '../../lib/core';
import type { Json } from '../../lib/queue/cluster';
import type { Command } from './commands';
import type { Span } from './coverage';
import { Job, type Cause, type Decision, type JobSpec, type Policy, type Run, type Skip } from './job';
import type { Lead, LeadState } from './lead';
import { leadReason, leadText } from './lead-words';
import { Ledger, type LedgerEntry } from './ledger';
import { payloadOf } from './payload';
import { pastToShare, readPast, type SharedPast } from './shared-past';
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
  readonly note: (text: string, level?: 'good' | 'warn') => void;
  /** Undefined: this gateway does not ask others. */
  readonly lead?: Lead | undefined;
}

/** What a job decided, and what it can go back to. */
interface Decided extends Decision {
  readonly job: Job;
  readonly before: readonly Span[];
}

/** Wall time is looked at once a minute at least, so a clock that was set is noticed by then. */
const LONGEST_SLEEP_MS = 60_000;
/** As Node-RED's inject node: the nodes behind this one may still be starting. */
const FIRST_LOOK_MS = 100;
/** A difference between wall and monotonic time above this is a clock that was set, not drift. */
const DRIFT_MS = 2000;
/** After a claim that could not be stored. */
const CLAIM_AGAIN_MS = 1000;
/** Shared state that nobody writes for a day vanishes. */
const SHARE_AGAIN_MS = 3_600_000;

export class Engine {
  readonly #jobs: readonly Job[];
  readonly #ledger: Ledger;
  readonly #saver: Saver;
  readonly #format: Intl.DateTimeFormat;
  #timer: Timer | undefined;
  #looked: { readonly now: number; readonly mono: number } | undefined;
  #stopped = false;
  #deploys: boolean;
  readonly #self: string;
  /** Runs that wait for their claim. */
  #claimed: readonly Decided[] | undefined;
  #others: SharedPast | undefined;
  /** The highest fencing number of a lease that is known. */
  #seenFence = 0;
  /** What this gateway dealt with itself before it stood by. */
  #own: ReadonlyMap<Job, readonly Span[]> | undefined;
  #toldState: LeadState | undefined;
  /** Why time passed until this gateway began to lead. */
  #gained: Cause | undefined;
  #sharing = false;
  #sharedAt = -Infinity;

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
    this.#deploys = plan.runOnDeploy;
    this.#self = Math.floor(random() * 2 ** 48).toString(36);
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
    this.#stopped = true;
    this.#timer?.cancel();
    this.#takeBack();
    await this.services.lead?.stop(this.#past());
    await this.#saver.close();
  }

  #begin(): void {
    const { lead } = this.services;
    if (!lead) return this.#work();
    this.#note();
    lead.start({
      learned: (value, fence) => this.#learn(value, fence),
      changed: (state) => this.#leadChanged(state),
    });
  }

  #work(): void {
    if (this.#deploys) {
      for (const job of this.#jobs.filter(({ paused }) => !paused)) {
        this.#run(job, { due: this.services.clock.now(), reason: 'deploy' });
      }
    }
    this.#deploys = false;
    this.#look();
    this.#saver.request();
  }

  #look(): void {
    this.#timer?.cancel();
    const { clock, lead } = this.services;
    if (this.#claimed || this.#stopped) return;
    if (lead && !lead.mayRun) return lead.doubt();
    const now = clock.now();
    const cause = this.#gained ?? this.#cause(now, clock.mono());
    this.#gained = undefined;
    this.#looked = { now, mono: clock.mono() };
    const decided = this.#jobs
      .map((job): Decided => ({ job, before: job.spans, ...job.advance(now, cause) }))
      .filter(({ runs, skips }) => runs.length + skips.length > 0);
    const claimed = lead ? decided.filter(({ job, runs }) => job.spec.claimed && runs.length > 0) : [];
    for (const one of decided) if (!claimed.includes(one)) this.#carryOut(one);
    if (decided.length > 0) this.#saver.request();
    if (lead && claimed.length > 0) return void this.#claim(lead, claimed);
    if (lead && (decided.length > 0 || clock.mono() - this.#sharedAt > SHARE_AGAIN_MS))
      void this.#share(lead);
    this.#sleep();
  }

  #sleep(atLeast = 1): void {
    if (this.#stopped) return;
    this.#note();
    const { clock } = this.services;
    const next = Math.min(...this.#jobs.map(({ fireAt }) => fireAt ?? Infinity));
    const sleep = Math.min(LONGEST_SLEEP_MS, Math.max(atLeast, next - clock.now()));
    this.#timer?.cancel();
    this.#timer = clock.timer(sleep, () => this.#look());
  }

  #carryOut({ job, runs, skips }: Decided): void {
    for (const skip of skips) this.#skip(job, skip);
    for (const run of runs) this.#run(job, run);
  }

  /** A run that another gateway could repeat starts only once all of them can know of it. */
  async #claim(lead: Lead, claimed: readonly Decided[]): Promise<void> {
    this.#claimed = claimed;
    const granted = await lead.share(this.#past());
    if (this.#claimed !== claimed) return;
    if (granted) {
      this.#claimed = undefined;
      this.#sharedAt = this.services.clock.mono();
      for (const one of claimed) this.#carryOut(one);
    } else this.#takeBack();
    this.#saver.request();
    this.#sleep(granted ? 1 : CLAIM_AGAIN_MS);
  }

  /** Nobody ran what only this gateway could have run. */
  #takeBack(): void {
    for (const { job, before } of this.#claimed ?? []) {
      job.undo(before);
      this.#adopt(job);
    }
    this.#claimed = undefined;
  }

  /** Tells what ran; one telling at a time. */
  async #share(lead: Lead): Promise<void> {
    if (this.#sharing) return;
    this.#sharing = true;
    this.#sharedAt = this.services.clock.mono();
    if (!(await lead.share(this.#past()))) this.#sharedAt = -Infinity;
    this.#sharing = false;
  }

  #past(): Json {
    return pastToShare(
      this.#self,
      this.#seenFence,
      this.#jobs.map(({ spec, lastRun, spans }) => ({ name: spec.name, key: spec.key, lastRun, spans })),
    );
  }

  /** `fence` is given when this gateway is about to lead. */
  #learn(value: Json, fence?: number): void {
    const past = readPast(value);
    const { lead } = this.services;
    // What this node itself told is older than what it knows, and may be a claim that was never granted.
    if (!past || !lead || past.by === this.#self) return;
    // Numbers that begin anew come from a server that was set up anew.
    if (fence !== undefined && fence < this.#seenFence) this.#seenFence = 0;
    // A leader that had lost its lease wrote over what its successor told.
    if (past.fence < this.#seenFence) return lead.state === 'leader' ? void this.#share(lead) : undefined;
    if (lead.state === 'leader' && fence === undefined) return;
    this.#seenFence = past.fence;
    this.#others = past;
    if (this.#claimed) return;
    // While standing by, each telling replaces the last: claims can be taken back.
    if (!lead.mayRun) this.#own ??= new Map(this.#jobs.map((job) => [job, job.spans]));
    for (const job of this.#jobs) {
      const own = this.#own?.get(job);
      if (own) job.undo(own);
      this.#adopt(job);
    }
    this.#saver.request();
  }

  #adopt(job: Job): void {
    const past = this.#others?.of(job.spec.name, job.spec.key);
    if (past) job.adopt(past, this.services.clock.now());
  }

  #leadChanged(state: LeadState): void {
    if (state === 'asking') return this.#note();
    const before = this.#toldState;
    this.#toldState = state;
    const works = state === 'leader' || state === 'alone';
    if (state !== before) {
      const at = new Date(this.services.clock.now()).toISOString();
      const decision = works ? 'leader' : 'standby';
      this.#record({ at, name: '', decision, reason: leadReason(state), due: at, late: 0 });
    }
    if (!works) {
      if (state === 'standby') this.#deploys = false;
      this.#timer?.cancel();
      return this.#note();
    }
    this.#own = undefined;
    this.#seenFence = this.services.lead?.fence ?? this.#seenFence;
    if (before === 'unreachable') this.#gained = 'unreachable';
    else if (state !== before && this.#others) this.#gained = 'takeover';
    this.#sharedAt = -Infinity;
    this.#work();
  }

  #cause(now: number, mono: number): Cause {
    if (!this.#looked) return 'stopped';
    const leaped = now - this.#looked.now - (mono - this.#looked.mono);
    return leaped > DRIFT_MS ? 'clockForward' : 'stalled';
  }

  #run(job: Job, { due, reason }: Run): void {
    const now = this.services.clock.now();
    const { name, topic, payload } = job.spec;
    const fence = reason === 'message' ? undefined : this.services.lead?.fence;
    const at = new Date(now).toISOString();
    const late = Math.max(0, now - due);
    job.lastRun = at;
    this.services.emit({
      topic: topic || name,
      payload: payloadOf(payload, now),
      schedule: {
        name,
        due: new Date(due).toISOString(),
        fired: at,
        late,
        reason,
        ...(fence === undefined ? {} : { fence }),
      },
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
    const next = at === undefined ? 'paused' : `${this.#format.format(at)} ${soonest?.spec.name ?? ''}`;
    const { lead, note } = this.services;
    if (!lead) return note(next);
    const { text, level } = leadText(lead.state, next);
    note(text, level);
  }

  #state(): SavedState {
    const jobs = this.#jobs.map(({ spec, paused, lastRun, spans }) => {
      return { name: spec.name, key: spec.key, paused, lastRun, spans };
    });
    return { jobs, ledger: this.#ledger.list() };
  }
}
