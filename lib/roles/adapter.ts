/** The life of an adapter node: a message in, one call, a message out or one failure. */
import { cancelled, type Call, type Message } from '../core';
import { createProvenance } from '../observe/provenance';
import type { Meter } from '../observe/meter';
import { ResultCache } from '../policy/cache';
import type { RetryOptions } from '../policy/retry';
import type { CallValuesOf, Fields } from '../spec';
import { keySource, retryOptions } from './call-settings';
import { emitChunks, isChunked, Pace } from './chunks';
import { Collecting } from './collecting';
import type { Connection } from './connection';
import type { AdapterDeclaration, Result } from './declare';
import { callFields, type CallSettings } from './framework-fields';
import { InFlight } from './in-flight';
import { NodeStatus } from './node-status';
import type { Host, Runtime } from './runtime';
import { ownSettings, type Settings } from './settings';
import { applyPatch, recordFailure, writable } from './outcome';
import { timedOut } from '../policy/failures';
import { Paces } from './paces';
import { compileValues, type Resolve } from './values';

export type Send = (msg: Message) => void;
type Values = CallValuesOf<Fields>;

export class AdapterNode {
  readonly #declaration: AdapterDeclaration;
  readonly #connection: Connection;
  readonly #host: Host;
  readonly #runtime: Runtime;
  readonly #settings: CallSettings;
  readonly #retry: RetryOptions;
  readonly #resolve: Resolve<Fields>;
  readonly #prepared: unknown;
  readonly #keyOf: (msg: Message) => string;
  readonly #meter: Meter;
  readonly #status: NodeStatus;
  readonly #inFlight: InFlight;
  readonly #cache: ResultCache | undefined;
  readonly #collecting: Collecting | undefined;
  readonly #paces: Paces;
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
    this.#retry = retryOptions(this.#settings);
    const own = ownSettings(declaration.fields, settings);
    this.#prepared = declaration.prepare?.(own);
    const fields = { ...declaration.fields, timeout: callFields.timeout };
    this.#resolve = compileValues<Fields>(fields, { ...own, timeout: this.#settings.timeout }, (typed, msg) =>
      host.evaluate(typed, msg),
    );
    this.#keyOf = keySource(runtime.clock, runtime.random, host.id);
    this.#inFlight = new InFlight(runtime.clock);
    this.#paces = new Paces(runtime.clock);
    if (declaration.cacheKey && this.#settings.cacheFor > 0) {
      this.#cache = new ResultCache(
        { ttlMs: this.#settings.cacheFor, size: this.#settings.cacheSize },
        runtime.clock,
      );
    }
    this.#meter = runtime.metrics.node(host.id, host.name, declaration.type);
    this.#status = new NodeStatus(host, runtime, connection);
    if (declaration.collect) {
      this.#collecting = new Collecting(declaration, declaration.collect, this.#prepared, {
        connection,
        runtime,
        log: host.log,
        source: host.source,
        scope: this.#inFlight.scope,
        retry: this.#retry,
        meter: this.#meter,
      });
    }
    this.#detach = connection.attach(this, this.#status.refresh);
    this.#status.refresh();
  }

  /** Resolves when the message is dealt with; rejects with the Failure, which also stands in `msg.failure`. */
  async input(msg: Message, send: Send): Promise<void> {
    if (msg.tick !== undefined && this.#paces.tick(msg)) return;
    this.#inFlight.enter();
    this.#meter.in();
    this.#meter.queued(1);
    try {
      const resolved = this.#resolve(msg);
      await this.#handle(resolved instanceof Promise ? await resolved : resolved, msg, send);
      this.#meter.out();
      this.#status.succeeded();
    } catch (error) {
      const failure = this.#connection.nameError(error);
      if (failure.kind === 'cancelled') this.#meter.cancelled();
      else this.#meter.failed();
      this.#status.failed(failure);
      throw recordFailure(msg, failure, this.#runtime.redactor);
    } finally {
      this.#meter.queued(-1);
      this.#inFlight.leave();
    }
  }

  async #handle(values: Values, msg: Message, send: Send): Promise<void> {
    const startedAt = this.#runtime.clock.now();
    const key = this.#keyOf(msg);
    let attempts = 1;
    let session: unknown;
    const joined = this.#collecting?.add(values, msg, key);
    const result = joined
      ? await joined
      : await this.#call(values, msg, key, (call, on) => {
          attempts = call.attempt;
          session = on;
        });
    const finish = (target: Message): Message => {
      if (this.#settings.provenance) this.#trace(target, values, startedAt, attempts);
      return target;
    };
    if (!isChunked(result)) return send(finish(applyPatch(writable(msg), result ?? undefined)));
    try {
      await this.#emit(result, values, msg, (part) => send(finish(part)));
    } catch (error) {
      throw this.#connection.met(session, error);
    }
  }

  async #call(
    values: Values,
    msg: Message,
    key: string,
    seen: (call: Call, session: unknown) => void,
  ): Promise<Result> {
    const { clock } = this.#runtime;
    const { log } = this.#host;
    const declaration = this.#declaration;
    const prepared = this.#prepared;
    const effect = declaration.effect(values, msg);
    const store = effect === 'safe' ? this.#cache : undefined;
    const operation = {
      effect,
      timeoutMs: values.timeout as unknown as number,
      retry: this.#retry,
      key,
      scope: this.#inFlight.scope,
      listener: this.#meter,
      call: (session: unknown, call: Call): Promise<Result> => {
        seen(call, session);
        return declaration.call({
          values,
          msg,
          session,
          prepared,
          call,
          log,
          clock,
          source: this.#host.source,
          note: this.#status.note,
        });
      },
    };
    const cacheKey = store && declaration.cacheKey?.(values, msg, prepared);
    if (!store || cacheKey === undefined) return this.#connection.run(operation);
    return this.#connection.run({ ...operation, cache: { store, key: cacheKey } });
  }

  async #emit(
    result: Extract<Result, { paced: boolean }>,
    values: Values,
    msg: Message,
    send: Send,
  ): Promise<void> {
    const id = typeof msg._msgid === 'string' ? msg._msgid : this.#keyOf(msg);
    const pace = result.paced ? this.#paces.open(id) : new Pace();
    const timeoutMs = values.timeout as unknown as number;
    try {
      await emitChunks(result, {
        send: (patch, parts, last) =>
          send(applyPatch({ ...msg }, { ...patch, parts, ...(last ? { complete: true } : {}) })),
        scope: this.#inFlight.scope,
        pace,
        id,
        limit: (expire) =>
          this.#runtime.wheel.add(timeoutMs, () =>
            expire(timedOut(`"${this.#connection.name}"`, timeoutMs, 'safe', true)),
          ),
      });
    } finally {
      this.#paces.close(pace);
    }
  }

  #trace(target: Message, values: Values, startedAt: number, attempts: number): void {
    target.provenance = createProvenance({
      connector: this.#connection.declaration.type,
      connectorVersion: this.#connection.declaration.version,
      connection: this.#connection.name,
      operation: this.#declaration.operation(values),
      query: values,
      payload: target.payload,
      startedAt,
      finishedAt: this.#runtime.clock.now(),
      attempts,
      simulated: this.#connection.simulated,
    });
  }

  async close(): Promise<void> {
    this.#collecting?.hurry();
    // Flows are stopping: the ticks they wait for will not come.
    this.#paces.end(cancelled());
    const level = this.#connection.status().level;
    const left = await this.#inFlight.close(level === 'good' || level === 'idle' || level === 'warn');
    if (left > 0) {
      this.#host.log.warn(`${left} calls were still running when the node stopped; they were cancelled.`);
    }
    this.#detach();
    this.#status.close();
    this.#runtime.metrics.remove(this.#host.id);
  }
}
