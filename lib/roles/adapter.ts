/** The life of an adapter node: a message in, one call, a message out or one failure. */
import { asText, cancelled, type Effect, type Message } from '../core';
import type { Meter } from '../observe/meter';
import { ResultCache } from '../policy/cache';
import type { CallValuesOf, Fields } from '../spec';
import { keySource, retryOptions } from './call-settings';
import { Caller, type Send } from './caller';
import { Collecting } from './collecting';
import type { Connection } from './connection';
import type { AdapterDeclaration } from './declare';
import { forwardFields } from './forward/fields';
import { Forwarder, type Settled } from './forward/forwarder';
import type { Job } from './forward/job';
import { Leftover } from './forward/leftover';
import { callFields, type CallSettings } from './framework-fields';
import { InFlight } from './in-flight';
import { NodeStatus } from './node-status';
import { publicFailure, recordFailure } from './outcome';
import { Paces } from './paces';
import type { Host, Runtime } from './runtime';
import { ownSettings, type Settings } from './settings';
import { compileValues, type Resolve } from './values';
import { within } from './within';

/** A disk that does not answer must not hold up a redeploy. */
const STOP_MS = 3000;

type Values = CallValuesOf<Fields>;

export class AdapterNode {
  readonly #declaration: AdapterDeclaration;
  readonly #connection: Connection;
  readonly #host: Host;
  readonly #runtime: Runtime;
  readonly #settings: CallSettings;
  readonly #resolve: Resolve<Fields>;
  readonly #prepared: unknown;
  readonly #keyOf: (msg: Message) => string;
  readonly #meter: Meter;
  readonly #status: NodeStatus;
  readonly #inFlight: InFlight;
  readonly #collecting: Collecting | undefined;
  readonly #paces: Paces;
  readonly #caller: Caller;
  readonly #forwarder: Forwarder | undefined;
  /** Sends what an earlier setting stored. */
  readonly #leftover: Leftover | undefined;
  readonly #detach: () => void;

  constructor(
    declaration: AdapterDeclaration,
    settings: Settings,
    connection: Connection,
    host: Host,
    runtime: Runtime,
  ) {
    this.#declaration = declaration;
    this.#connection = connection;
    this.#host = host;
    this.#runtime = runtime;
    this.#settings = settings as unknown as CallSettings;
    const own = ownSettings(declaration.fields, settings);
    this.#prepared = declaration.prepare?.(own);
    this.#resolve = this.#compile(own);
    this.#keyOf = keySource(runtime.clock, runtime.random, host.id);
    this.#inFlight = new InFlight(runtime.clock);
    this.#paces = new Paces(runtime.clock);
    this.#meter = runtime.metrics.node(host.id, host.name, declaration.type);
    this.#status = new NodeStatus(host, runtime, connection);
    const shared = { connection, runtime, retry: retryOptions(this.#settings), meter: this.#meter };
    if (declaration.collect) {
      const { log, source } = host;
      const { scope } = this.#inFlight;
      this.#collecting = new Collecting(declaration, declaration.collect, this.#prepared, {
        ...shared,
        log,
        source,
        scope,
      });
    }
    this.#caller = new Caller({
      ...shared,
      declaration,
      prepared: this.#prepared,
      host,
      inFlight: this.#inFlight,
      cache: this.#cache(),
      collecting: this.#collecting,
      paces: this.#paces,
      provenance: this.#settings.provenance,
      note: this.#status.note,
    });
    if (declaration.forward !== false) {
      if (this.#settings.undelivered === 'fail') this.#leftover = this.#lookForLeftover();
      else this.#forwarder = this.#createForwarder();
    }
    this.#detach = connection.attach(this, () => {
      this.#status.refresh();
      this.#forwarder?.linkChanged();
      this.#leftover?.linkChanged();
    });
    this.#status.refresh();
  }

  #compile(own: Values): Resolve<Fields> {
    const { timeout, undelivered, keepOrder, orderKey } = this.#settings;
    const keyed = undelivered === 'store' && keepOrder === 'key';
    const fields: Fields = {
      ...this.#declaration.fields,
      timeout: callFields.timeout,
      ...(keyed ? { orderKey: forwardFields.orderKey } : {}),
    };
    return compileValues<Fields>(fields, { ...own, timeout, ...(keyed ? { orderKey } : {}) }, (typed, msg) =>
      this.#host.evaluate(typed, msg),
    );
  }

  #cache(): ResultCache | undefined {
    const { cacheFor, cacheSize } = this.#settings;
    if (!this.#declaration.cacheKey || cacheFor <= 0) return undefined;
    return new ResultCache({ ttlMs: cacheFor, size: cacheSize }, this.#runtime.clock);
  }

  #lookForLeftover(): Leftover {
    const { id, log } = this.#host;
    return new Leftover({ runtime: this.#runtime, id, log, create: () => this.#createForwarder() });
  }

  #createForwarder(): Forwarder {
    const { collect, outputs } = this.#declaration;
    return new Forwarder(this.#settings, {
      host: this.#host,
      runtime: this.#runtime,
      meter: this.#meter,
      retry: retryOptions(this.#settings),
      output: outputs?.length ?? 1,
      joined: (values) => collect?.limits(values).items ?? 1,
      jobOf: async (msg, given, id, time) => {
        const values = await this.#resolve(msg, given);
        return this.#job(msg, values, this.#declaration.effect(values, msg), id, time);
      },
      givenOf: ({ values }) =>
        Object.fromEntries(this.#resolve.evaluated.map((name) => [name, values[name]])),
      deliver: (job, send) => this.#deliver(job, send),
      linked: () => !['bad', 'off'].includes(this.#connection.status().level),
      clean: (failure) => publicFailure(failure, this.#runtime.redactor),
      nameError: (error) => this.#connection.nameError(error),
      changed: (waiting) => this.#status.stored(waiting),
      troubled: (sentence) => this.#status.troubled(sentence),
    });
  }

  /** Resolves when the message is dealt with; rejects with the Failure, which also stands in `msg.failure`. */
  async input(msg: Message, send: Send): Promise<void> {
    if (msg.tick !== undefined && this.#paces.tick(msg)) return;
    this.#inFlight.enter();
    this.#meter.in();
    this.#meter.queued(1);
    let settled: Settled = 'delivered';
    try {
      settled = await this.#take(msg, send);
      if (settled === 'delivered') {
        this.#meter.out();
        this.#status.succeeded();
      }
    } catch (error) {
      const failure = this.#connection.nameError(error);
      if (failure.kind === 'cancelled') this.#meter.cancelled();
      else this.#meter.failed();
      this.#status.failed(failure);
      throw recordFailure(msg, failure, this.#runtime.redactor);
    } finally {
      // What is stored is not finished, and what was dropped is counted by the store.
      if (settled === 'delivered' || settled === 'dead') this.#meter.queued(-1);
      this.#inFlight.leave();
    }
  }

  async #take(msg: Message, send: Send): Promise<Settled> {
    const resolved = this.#resolve(msg);
    const values = resolved instanceof Promise ? await resolved : resolved;
    const effect = this.#declaration.effect(values, msg);
    const job = this.#job(msg, values, effect, this.#keyOf(msg), this.#runtime.clock.now());
    if (this.#forwarder && effect !== 'safe') return this.#forwarder.accept(job, send);
    await this.#caller.handle(job, send);
    return 'delivered';
  }

  #job(msg: Message, values: Values, effect: Effect, id: string, time: number): Job {
    const { keepOrder, undelivered } = this.#settings;
    if (undelivered !== 'store' || keepOrder === 'none') {
      return { msg, values, effect, id, time, line: undefined, group: undefined };
    }
    const line = keepOrder === 'key' ? lineOf(values.orderKey) : '';
    const joins = this.#declaration.collect?.key(values, this.#prepared);
    const group = joins === undefined ? undefined : `${effect} ${Number(values.timeout)} ${joins}`;
    return { msg, values, effect, id, time, line, group };
  }

  /** From the store; the node may not close in the middle of it. */
  async #deliver(job: Job, send: Send): Promise<void> {
    this.#inFlight.enter();
    try {
      await this.#caller.handle(job, send);
      this.#status.succeeded();
    } catch (error) {
      const failure = this.#connection.nameError(error);
      this.#status.failed(failure);
      throw failure;
    } finally {
      this.#inFlight.leave();
    }
  }

  async close(): Promise<void> {
    this.#collecting?.hurry();
    // Flows are stopping: the ticks they wait for will not come.
    this.#paces.end(cancelled());
    const stopped = this.#forwarder?.stop() ?? this.#leftover?.stop();
    const level = this.#connection.status().level;
    const left = await this.#inFlight.close(level === 'good' || level === 'idle' || level === 'warn');
    if (left > 0) {
      this.#host.log.warn(`${left} calls were still running when the node stopped; they were cancelled.`);
    }
    if (stopped) await within(this.#runtime.clock, STOP_MS, stopped);
    await this.#forwarder?.close();
    await this.#leftover?.close();
    this.#detach();
    this.#status.close();
    this.#runtime.metrics.remove(this.#host.id);
  }
}

const LONGEST_LINE = 200;
const HALF_CHARACTER = /\p{Surrogate}/u;

/** The order key of a message; those without one form a line of their own. */
function lineOf(value: unknown): string {
  const text = textOf(value).slice(0, LONGEST_LINE);
  // Half a character, of the flow or of the cut, is no text that a store takes.
  return HALF_CHARACTER.test(text) ? Buffer.from(text).toString() : text;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    // What JSON cannot hold, such as a big integer.
    return asText(value);
  }
}
