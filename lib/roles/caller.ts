/** Makes the call of one message and sends what it gave: one message, or the parts of a result. */
import type { Call, Log, Message } from '../core';
import type { Meter } from '../observe/meter';
import { createProvenance } from '../observe/provenance';
import type { ResultCache } from '../policy/cache';
import { timedOut } from '../policy/failures';
import type { RetryOptions } from '../policy/retry';
import { emitChunks, isChunked, Pace } from './chunks';
import type { Collecting } from './collecting';
import type { Connection } from './connection';
import type { AdapterDeclaration, Note, Result } from './declare';
import type { Job } from './forward/job';
import type { InFlight } from './in-flight';
import { interrupted } from './interrupted';
import { applyPatch, writable } from './outcome';
import type { Paces } from './paces';
import type { Host, Runtime } from './runtime';

export type Send = (msg: Message) => void;

export interface CallerDeps {
  readonly declaration: AdapterDeclaration;
  readonly prepared: unknown;
  readonly connection: Connection;
  readonly host: Host;
  readonly runtime: Runtime;
  readonly retry: RetryOptions;
  readonly meter: Meter;
  readonly inFlight: InFlight;
  readonly cache: ResultCache | undefined;
  readonly collecting: Collecting | undefined;
  readonly paces: Paces;
  readonly provenance: boolean;
  readonly note: Note;
}
/** What is known of the last attempt. */
interface Seen {
  attempts: number;
  session: unknown;
  /** It began and has not ended: the peer may be acting on it. */
  running: boolean;
}

export class Caller {
  readonly #deps: CallerDeps;
  readonly #log: Log;

  constructor(deps: CallerDeps) {
    this.#deps = deps;
    this.#log = deps.host.log;
  }

  /** Resolves when the result has been sent. */
  async handle(job: Job, send: Send): Promise<void> {
    const { collecting, connection, provenance, runtime } = this.#deps;
    const startedAt = runtime.clock.now();
    const seen: Seen = { attempts: 1, session: undefined, running: false };
    const joined = collecting?.add(job.values, job.msg, job.id);
    const result = joined ? await joined : await this.#call(job, seen);
    const finish = (target: Message): Message => {
      if (provenance) this.#trace(target, job, startedAt, seen.attempts);
      return target;
    };
    if (!isChunked(result)) return send(finish(applyPatch(writable(job.msg), result ?? undefined)));
    try {
      await this.#emit(result, job, (part) => send(finish(part)));
    } catch (error) {
      throw connection.met(seen.session, error);
    }
  }

  async #call(job: Job, seen: Seen): Promise<Result> {
    const { declaration, connection, prepared, runtime, host, note, retry, inFlight, meter } = this.#deps;
    const { values, msg, effect, id } = job;
    const store = effect === 'safe' ? this.#deps.cache : undefined;
    const operation = {
      effect,
      timeoutMs: values.timeout as unknown as number,
      retry,
      key: id,
      scope: inFlight.scope,
      listener: meter,
      call: async (session: unknown, call: Call): Promise<Result> => {
        seen.attempts = call.attempt;
        seen.session = session;
        seen.running = true;
        const { clock } = runtime;
        const log = this.#log;
        const context = { values, msg, session, prepared, call, log, clock, source: host.source, note };
        try {
          return await declaration.call(context);
        } finally {
          seen.running = false;
        }
      },
    };
    const cacheKey = store && declaration.cacheKey?.(values, msg, prepared);
    try {
      if (!store || cacheKey === undefined) return await connection.run(operation);
      return await connection.run({ ...operation, cache: { store, key: cacheKey } });
    } catch (error) {
      throw effect === 'once' && seen.running ? interrupted(connection.name, error) : error;
    }
  }

  async #emit(result: Extract<Result, { paced: boolean }>, job: Job, send: Send): Promise<void> {
    const { inFlight, paces, runtime, connection } = this.#deps;
    const { msg, values } = job;
    const id = typeof msg._msgid === 'string' ? msg._msgid : job.id;
    const pace = result.paced ? paces.open(id) : new Pace();
    const timeoutMs = values.timeout as unknown as number;
    try {
      await emitChunks(result, {
        send: (patch, parts, last) =>
          send(applyPatch({ ...msg }, { ...patch, parts, ...(last ? { complete: true } : {}) })),
        scope: inFlight.scope,
        pace,
        id,
        limit: (expire) =>
          runtime.wheel.add(timeoutMs, () =>
            expire(timedOut(`"${connection.name}"`, timeoutMs, 'safe', true)),
          ),
      });
    } finally {
      paces.close(pace);
    }
  }

  #trace(target: Message, job: Job, startedAt: number, attempts: number): void {
    const { connection, declaration, runtime } = this.#deps;
    target.provenance = createProvenance({
      connector: connection.declaration.type,
      connectorVersion: connection.declaration.version,
      connection: connection.name,
      operation: declaration.operation(job.values),
      query: job.values,
      payload: target.payload,
      startedAt,
      finishedAt: runtime.clock.now(),
      attempts,
      simulated: connection.simulated,
    });
  }
}
