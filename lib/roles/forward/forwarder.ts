/**
 * What stands between a node's input and its call when messages must not be lost. While the store is empty and the
 * link works, a message goes straight to the peer; what fails, and what arrives while its line is busy, goes through
 * the store, in order.
 */
import { Failure, toFailure, type Message } from '../../core';
import type { Attempt, Entry, Leased } from '../../queue/types';
import { delay, type RetryOptions } from '../../policy/retry';
import { Backlog } from './backlog';
import { Drain, type Verdict } from './drain';
import { unwrap, wrap, type Given } from './envelope';
import { attemptOf, fateOf } from './fate';
import type { ForwardSettings } from './fields';
import { queueName, queueOptions } from './options';
import type { Job } from './job';
import { reportOf, type DeliveryEvent } from './reports';
import type { Host, Runtime } from '../runtime';
import type { Meter } from '../../observe/meter';

export interface ForwarderDeps {
  readonly host: Host;
  readonly runtime: Runtime;
  readonly meter: Meter;
  readonly retry: RetryOptions;
  /** Jobs that may share a joined call; 1 when calls are not joined. */
  readonly joined: (values: Job['values']) => number;
  /** Number of the output that reports. */
  readonly output: number;
  /** Makes the call and sends its result. Rejects with a Failure. */
  readonly deliver: (job: Job, send: (msg: Message) => void) => Promise<void>;
  /** Values, effect and line of a message; `given` replaces what would be evaluated anew. */
  readonly jobOf: (msg: Message, given: Given, id: string, time: number) => Promise<Job>;
  /** Values that must be kept with a stored message. */
  readonly givenOf: (job: Job) => Given;
  /** Whether the link could take a call now. */
  readonly linked: () => boolean;
  /** A failure as it may be stored and shown. */
  readonly clean: (failure: Failure) => Failure;
  readonly nameError: (error: unknown) => Failure;
  /** Tells how many messages are in the store. */
  readonly changed: (waiting: number) => void;
}
export type Settled = 'delivered' | 'stored' | 'dead' | 'dropped';

/** A message on its way without having been stored. */
interface Direct {
  readonly job: Job;
  /** Set when another message of its line went to the store: this one's record then lies before it. */
  record: Promise<boolean> | undefined;
}

export class Forwarder {
  readonly #settings: ForwardSettings;
  readonly #deps: ForwarderDeps;
  readonly #backlog: Backlog;
  readonly #lines = new Map<string, Direct>();
  /** By id: how a message ended whose record is still in the store. */
  readonly #direct = new Map<string, Verdict | 'running'>();
  #drain: Drain | undefined;
  #failures = 0;
  #wasLinked = true;

  constructor(settings: ForwardSettings, deps: ForwarderDeps) {
    this.#settings = settings;
    this.#deps = deps;
    const { runtime, host, meter } = deps;
    this.#backlog = new Backlog({
      queues: runtime.queues,
      name: queueName(host.id),
      options: queueOptions(settings, host.source),
      clock: runtime.clock,
      log: host.log,
      meter,
      opened: (queue) => {
        this.#drain = new Drain(queue, {
          clock: runtime.clock,
          atOnce: this.#ordered ? 1 : settings.atOnce,
          oneLine: this.#ordered,
          joined: (job) => deps.joined(job.values),
          prepare: (leased) => this.#prepare(leased),
          deliver: (job, leased) => this.#deliver(job, leased),
          isHeld: (id) => this.#direct.get(id) === 'running',
          settle: (leased, job, verdict) => this.#settle(leased, job, verdict),
          pauseMs: (failure) => this.#pauseMs(failure),
          broken: (error) => host.log.debug(`The local store: ${toFailure(error).message}`),
        });
        this.#drain.wake();
      },
      ready: () => this.#drain?.wake(),
      changed: () => deps.changed(this.#backlog.size),
    });
  }

  /** Messages in the store. */
  get waiting(): number {
    return this.#backlog.size;
  }

  get #ordered(): boolean {
    return this.#settings.undelivered === 'store' && this.#settings.keepOrder === 'all';
  }

  /** Resolves once the message is delivered, or where nothing can take it; rejects when it is neither. */
  accept(job: Job, send: (msg: Message) => void): Promise<Settled> {
    if (this.#backlog.isKnown) return this.#take(job, send);
    // What an earlier run left behind goes first.
    return this.#backlog.opened().then(() => this.#take(job, send));
  }

  #take(job: Job, send: (msg: Message) => void): Promise<Settled> {
    if (this.#settings.undelivered === 'deadLetter') return this.#straight(job, send);
    if (this.#mustStore(job)) return this.#store(job, undefined);
    const { line } = job;
    const before = line === undefined ? undefined : this.#lines.get(line);
    if (!before) return this.#straight(job, send);
    before.record ??= this.#record(before.job);
    return this.#store(job, undefined);
  }

  /** The link changed: what waits for it goes on at once. */
  linkChanged(): void {
    const linked = this.#deps.linked();
    if (linked && !this.#wasLinked) {
      this.#failures = 0;
      this.#drain?.resume();
    }
    this.#wasLinked = linked;
  }

  /** Sends nothing more from the store; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    await this.#drain?.stop();
  }

  /** After the last message has been dealt with. */
  async close(): Promise<void> {
    await this.#backlog.close();
  }

  #mustStore({ line }: Job): boolean {
    if (this.#settings.storeWhen === 'always') return true;
    if (!this.#deps.linked()) return true;
    // Without an order nothing has to wait behind what is stored, unless nothing can be delivered anyway.
    if (line === undefined) return this.#drain?.paused === true;
    return this.#backlog.size > 0 && !this.#lines.has(line);
  }

  async #straight(job: Job, send: (msg: Message) => void): Promise<Settled> {
    const direct: Direct = { job, record: undefined };
    if (job.line !== undefined) {
      this.#lines.set(job.line, direct);
      this.#direct.set(job.id, 'running');
    }
    try {
      await this.#deps.deliver(job, send);
    } catch (error) {
      return this.#failed(direct, this.#failureOf(error));
    }
    this.#over(direct, 'delivered');
    await direct.record;
    this.#drain?.wake();
    return 'delivered';
  }

  /** Puts it into the store in the same turn: nothing of its line may overtake it. */
  async #failed(direct: Direct, failure: Failure): Promise<Settled> {
    const { job } = direct;
    const fate = fateOf(failure);
    this.#over(direct, { fate, failure });
    if (direct.record && (await direct.record)) {
      this.#drain?.wake();
      return this.#told(job, 'stored', failure, 1);
    }
    if (fate === 'dead' || this.#settings.undelivered === 'deadLetter') return this.#bury(job, failure);
    return this.#store(job, failure);
  }

  /** How it ended matters later only if its record is in the store. */
  #over({ job, record }: Direct, verdict: Verdict): void {
    if (job.line === undefined) return;
    this.#lines.delete(job.line);
    if (!record) this.#direct.delete(job.id);
    else {
      this.#direct.set(job.id, verdict);
      void record.then((recorded) => recorded || this.#direct.delete(job.id));
    }
  }

  async #record(job: Job): Promise<boolean> {
    try {
      return (await this.#backlog.put(this.#entry(job, []))) === 'stored';
    } catch {
      // It is still on its way to the peer; should that fail, its own storing says why.
      return false;
    }
  }

  async #store(job: Job, failure: Failure | undefined): Promise<Settled> {
    let result;
    try {
      result = await this.#backlog.put(this.#entry(job, failure ? [this.#attemptOf(failure)] : []));
    } catch (error) {
      throw this.#both(failure, toFailure(error));
    }
    if (failure && fateOf(failure) === 'wait') this.#drain?.hold(this.#pauseMs(failure));
    if (result === 'dropped') return this.#told(job, 'dropped', failure, 0);
    return this.#told(job, 'stored', failure, failure ? 1 : 0);
  }

  async #bury(job: Job, failure: Failure): Promise<Settled> {
    try {
      const history = [this.#attemptOf(failure)];
      await this.#backlog.bury(this.#entry(job, history), history, this.#deps.host.source);
    } catch (error) {
      throw this.#both(failure, toFailure(error));
    }
    this.#deps.meter.dead(1);
    return this.#told(job, 'dead', failure, 1);
  }

  /** Neither delivered nor stored: both reasons are needed. */
  #both(failure: Failure | undefined, refused: Failure): Failure {
    if (!failure) return refused;
    const sentence = `${failure.message} It was not stored either: ${refused.message}`;
    return new Failure(failure.kind, failure.code, sentence, {
      reached: failure.reached,
      partial: failure.partial,
      details: { ...failure.details, notStored: refused.code },
    });
  }

  #entry(job: Job, history: readonly Attempt[]): Entry {
    const body = wrap(job.msg, this.#deps.givenOf(job));
    const key = this.#settings.keepOrder === 'key' ? (job.line ?? '') : '';
    return { id: job.id, key, time: job.time, body, ...(history.length > 0 ? { history } : {}) };
  }

  #failureOf(error: unknown): Failure {
    return this.#deps.clean(this.#deps.nameError(error));
  }

  #attemptOf(failure: Failure): Attempt {
    return attemptOf(failure, this.#deps.runtime.clock.now(), this.#deps.host.source);
  }

  // ── From the store ─────────────────────────────────────────────────────────────────────────────────────

  #prepare({ entry }: Leased): Promise<Job> {
    const { msg, given } = unwrap(entry.body);
    return this.#deps.jobOf(msg, given, entry.id, entry.time);
  }

  async #deliver(job: Job, leased: Leased): Promise<Verdict> {
    const known = this.#direct.get(job.id);
    if (known !== undefined && known !== 'running') {
      this.#direct.delete(job.id);
      if (known === 'delivered') return 'settled';
      if (known !== 'settled' && known.fate === 'dead') return known;
    }
    const most = this.#settings.storeDeliveries;
    if (most > 0 && leased.delivery > most) return { fate: 'dead', failure: this.#exhausted(leased) };
    try {
      const { host } = this.#deps;
      const delivery = this.#report('delivered', job, leased.delivery);
      await this.#deps.deliver(job, (msg) => host.send({ ...msg, delivery }, 0));
      this.#failures = 0;
      return 'delivered';
    } catch (error) {
      const failure = this.#failureOf(error);
      const fate = fateOf(failure);
      const gone = this.#settings.undelivered === 'deadLetter' && fate !== 'stopped';
      return { fate: gone ? 'dead' : fate, failure };
    }
  }

  #settle(leased: Leased, job: Job | undefined, verdict: Verdict): void {
    const { queue } = this.#backlog;
    if (!queue) return;
    const broken = (error: unknown): void => this.#deps.host.log.warn(toFailure(error).message);
    const { token } = leased;
    if (verdict === 'settled') {
      // Counted and reported when it was delivered straight.
      this.#backlog.left();
      queue.acknowledge(token).catch(broken);
      return;
    }
    if (verdict === 'delivered') {
      this.#backlog.left();
      this.#deps.meter.out();
      this.#deps.meter.queued(-1);
      queue.acknowledge(token).catch(broken);
      if (job) this.#tell(job, 'delivered', undefined, leased.delivery);
      return;
    }
    const { fate, failure } = verdict;
    if (fate === 'dead') {
      // The store tells `died`, and that is where it is counted.
      queue.deadLetter(token, this.#attemptOf(failure)).catch(broken);
      if (job) this.#tell(job, 'dead', failure, leased.delivery);
    } else if (fate === 'later') {
      this.#failures += 1;
      queue.reject(token, this.#attemptOf(failure), this.#waitMs(leased.delivery)).catch(broken);
    } else {
      queue.release(token).catch(broken);
    }
  }

  #exhausted({ history, delivery }: Leased): Failure {
    const last = history.at(-1);
    const why = last ? ` The last failure: ${last.message}` : '';
    const sentence = `The message was delivered ${delivery - 1} times without success and is given up.${why}`;
    return new Failure('rejected', 'DELIVERIES_EXHAUSTED', sentence, { reached: false });
  }

  #pauseMs(failure: Failure): number {
    this.#failures += 1;
    const { waitMs } = failure.details;
    if (failure.code === 'RATE_LIMITED' && typeof waitMs === 'number') return waitMs;
    return Math.max(failure.retryAfterMs ?? 0, this.#waitMs(this.#failures));
  }

  #waitMs(times: number): number {
    const { retry, runtime } = this.#deps;
    const strategy = retry.strategy === 'none' ? 'exponential' : retry.strategy;
    return Math.max(retry.baseMs / 2, delay(times, { ...retry, strategy }, runtime.random));
  }

  // ── Reports ────────────────────────────────────────────────────────────────────────────────────────────

  #report(event: DeliveryEvent, job: Job, attempts: number) {
    const time = new Date(job.time).toISOString();
    return { event, id: job.id, time, attempts, waiting: this.#backlog.size };
  }

  #told<E extends DeliveryEvent>(job: Job, event: E, failure: Failure | undefined, attempts: number): E {
    this.#tell(job, event, failure, attempts);
    return event;
  }

  #tell(job: Job, event: DeliveryEvent, failure: Failure | undefined, attempts: number): void {
    const { host, output } = this.#deps;
    host.send(reportOf(job.msg, this.#report(event, job, attempts), failure?.toRecord()), output);
  }
}
