/**
 * What stands between a node's input and its call when messages must not be lost. While the store is empty and the
 * link works, a message goes straight to the peer; what fails, and what arrives while its line is busy, goes through
 * the store, in order.
 */
import { Failure, toFailure, type Message } from '../../core';
import type { Attempt, Entry, Leased } from '../../queue/types';
import { delay, type RetryOptions } from '../../policy/retry';
import { Backlog } from './backlog';
import { Directs, type Direct } from './directs';
import { Drain, type Verdict } from './drain';
import { unwrap, wrap, type Given } from './envelope';
import { attemptOf, fateOf, type Fate } from './fate';
import type { ForwardSettings } from './fields';
import { queueName, queueOptions } from './options';
import type { Job } from './job';
import { reportOf, type DeliveryEvent, type DeliveryReport } from './reports';
import type { Host, Runtime } from '../runtime';
import { within } from '../within';
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
  /** Tells what keeps the store from working, or that it works again. */
  readonly troubled: (sentence: string | undefined) => void;
}
/** Whom a report is about. */
type About = Pick<Entry, 'id' | 'time'>;
export type Settled = 'delivered' | 'stored' | 'dead' | 'dropped';

/** How long a close waits for what is under way, and then for the store: Node-RED gives 15 s in all. */
const CLOSE_MS = 3000;

export class Forwarder {
  readonly #settings: ForwardSettings;
  readonly #deps: ForwarderDeps;
  readonly #backlog: Backlog;
  readonly #directs = new Directs();
  #drain: Drain | undefined;
  #failures = 0;
  /** Messages that wait until it is known what the store holds. */
  #early = 0;
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
          isHeld: (line) => this.#directs.of(line) !== undefined,
          // Whoever replayed more than is known of did it just now.
          leased: async (count) => (count > this.#backlog.size ? this.#backlog.recount() : undefined),
          settle: (leased, job, verdict) => this.#settle(leased, job, verdict),
          pauseMs: (failure) => this.#pauseMs(failure),
          broken: (error) => host.log.debug(`The local store: ${toFailure(error).message}`),
        });
        this.#drain.wake();
      },
      ready: () => this.#drain?.wake(),
      changed: () => this.#changed(),
      trouble: (sentence) => deps.troubled(sentence),
    });
  }

  /** Messages in the store. */
  get waiting(): number {
    return this.#backlog.size;
  }

  get #ordered(): boolean {
    return this.#settings.keepOrder === 'all';
  }

  /** Resolves with how many messages an earlier run left behind. */
  async left(): Promise<number> {
    await this.#backlog.opened();
    return this.#backlog.size;
  }

  /** Resolves once the message is delivered, or where nothing can take it; rejects when it is neither. */
  accept(job: Job, send: (msg: Message) => void): Promise<Settled> {
    if (this.#backlog.isKnown && this.#early === 0) return this.#take(job, send);
    // What an earlier run left behind goes first, and those that wait for it go in their order.
    this.#early += 1;
    return this.#backlog.opened().then(() => {
      this.#early -= 1;
      return this.#take(job, send);
    });
  }

  #take(job: Job, send: (msg: Message) => void): Promise<Settled> {
    if (this.#settings.undelivered === 'deadLetter') return this.#straight(job, send);
    const before = this.#directs.of(job.line);
    if (before) {
      // Also while the link is down: the call of the one before may not have noticed yet.
      before.record ??= this.#record(before);
      return this.#store(job, undefined);
    }
    return this.#mustStore(job) ? this.#store(job, undefined) : this.#straight(job, send);
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

  #changed(): void {
    const { size } = this.#backlog;
    if (size === 0) this.#directs.forget();
    this.#deps.changed(size);
  }

  /** After the last message has been dealt with. */
  async close(): Promise<void> {
    await within(this.#deps.runtime.clock, CLOSE_MS, this.#backlog.close());
  }

  #mustStore({ line }: Job): boolean {
    if (this.#settings.storeWhen === 'always') return true;
    if (!this.#deps.linked()) return true;
    // Without an order nothing has to wait behind what is stored, unless nothing can be delivered anyway.
    if (line === undefined) return this.#drain?.paused === true;
    return this.#backlog.size > 0;
  }

  async #straight(job: Job, send: (msg: Message) => void): Promise<Settled> {
    const direct = this.#directs.begin(job);
    try {
      await this.#deps.deliver(job, send);
    } catch (error) {
      return await this.#failed(direct, this.#failureOf(error));
    } finally {
      // What waits behind it, or came to light meanwhile, may go.
      this.#drain?.wake();
    }
    this.#directs.end(direct, 'delivered');
    await direct.record;
    this.#drain?.wake();
    return 'delivered';
  }

  /** Puts it into the store in the same turn: nothing of its line may overtake it. */
  async #failed(direct: Direct, failure: Failure): Promise<Settled> {
    const { job } = direct;
    const fate = fateOf(failure);
    this.#directs.end(direct, { fate, failure });
    if (direct.record && (await direct.record)) return this.#told(job, 'stored', failure, 1);
    if (fate === 'dead' || this.#settings.undelivered === 'deadLetter') return this.#bury(job, failure);
    return this.#store(job, failure);
  }

  async #record(direct: Direct): Promise<boolean> {
    try {
      const result = await this.#backlog.put(this.#entry(direct.job, []));
      if (result !== 'dropped') return result === 'stored';
      // The store counts a drop, and the message itself is still under way: its record counts as one of its own.
      this.#deps.meter.in();
      this.#deps.meter.queued(1);
    } catch {
      // It is still on its way to the peer; should that fail, its own storing says why.
    }
    // The next message behind it tries again: one that is stored must not lie before it.
    direct.record = undefined;
    return false;
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

  async #prepare({ entry }: Leased): Promise<Job> {
    try {
      const { msg, given } = unwrap(entry.body);
      const job = await this.#deps.jobOf(msg, given, entry.id, entry.time);
      return this.#settings.undelivered === 'store' ? job : { ...job, line: this.#lineOf(entry) };
    } catch (error) {
      throw this.#failureOf(error);
    }
  }

  /** Of a record that was stored under another setting. */
  #lineOf({ key }: Entry): string | undefined {
    if (this.#ordered) return '';
    return this.#settings.keepOrder === 'key' ? key : undefined;
  }

  async #deliver(job: Job, leased: Leased): Promise<Verdict> {
    const known = this.#directs.take(job);
    if (known === 'delivered') return 'settled';
    if (typeof known === 'object' && known.fate !== 'stopped') return known;
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
      return { fate: this.#fateOf(failure), failure };
    }
  }

  #fateOf(failure: Failure): Fate {
    const fate = fateOf(failure);
    if (this.#settings.undelivered === 'deadLetter' && fate !== 'stopped') return 'dead';
    // No answer while the whole link is down says nothing about this message.
    const silent = fate === 'later' && failure.code === 'CALL_TIMEOUT' && !failure.partial;
    return silent && !this.#deps.linked() ? 'wait' : fate;
  }

  #settle(leased: Leased, job: Job | undefined, verdict: Verdict): void {
    const drain = this.#drain;
    if (!drain) return;
    const { token, delivery } = leased;
    if (verdict === 'settled' || verdict === 'delivered') {
      this.#backlog.left();
      drain.end((queue) => queue.acknowledge(token));
      // Counted and reported when it was delivered straight.
      if (verdict === 'settled') return;
      this.#deps.meter.out();
      this.#deps.meter.queued(-1);
      // The message itself has been sent on, and belongs to the flow: the report brings its own.
      this.#tell(unwrap(leased.entry.body).msg, leased.entry, 'delivered', undefined, delivery);
      return;
    }
    const { fate, failure } = verdict;
    const attempt = this.#attemptOf(failure);
    if (fate === 'dead') {
      // The store tells `died`, and that is where it is counted.
      drain.end((queue) => queue.deadLetter(token, attempt));
      this.#tell(job?.msg ?? {}, leased.entry, 'dead', failure, delivery);
    } else if (fate === 'later') {
      this.#failures += 1;
      const waitMs = this.#waitMs(delivery);
      drain.end((queue) => queue.reject(token, attempt, waitMs));
    } else {
      drain.end((queue) => queue.release(token));
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

  #report(event: DeliveryEvent, about: About, attempts: number): DeliveryReport {
    const time = new Date(about.time).toISOString();
    return { event, id: about.id, time, attempts, waiting: this.#backlog.size };
  }

  #told<E extends DeliveryEvent>(job: Job, event: E, failure: Failure | undefined, attempts: number): E {
    this.#tell(job.msg, job, event, failure, attempts);
    return event;
  }

  #tell(
    msg: Message,
    about: About,
    event: DeliveryEvent,
    failure: Failure | undefined,
    attempts: number,
  ): void {
    const { host, output } = this.#deps;
    host.send(reportOf(msg, this.#report(event, about, attempts), failure?.toRecord()), output);
  }
}
