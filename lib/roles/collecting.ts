/** Joins the messages of an adapter that declares `collect`, by key. */
import { Failure, type Call, type Log, type Message, type Scope } from '../core';
import type { Meter } from '../observe/meter';
import { bulkheadFull } from '../policy/failures';
import type { RetryOptions } from '../policy/retry';
import type { CallValuesOf, Fields } from '../spec';
import { Collector, type ItemResult } from './collector';
import type { Connection } from './connection';
import type { AdapterDeclaration, Collect, CollectItem, Outcome, Patch } from './declare';
import type { Source } from '../queue/types';
import { interrupted } from './interrupted';
import type { Runtime } from './runtime';

interface Deps {
  readonly connection: Connection;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly source: Source;
  readonly scope: Scope;
  readonly retry: RetryOptions;
  readonly meter: Meter;
}
type Values = CallValuesOf<Fields>;
/** Messages choose the key, so the number of open groups is bounded. */
const MOST_GROUPS = 256;
/** As many joined calls' worth of messages may wait in one group, or as many as calls may wait. */
const FULL_CALLS = 10;

interface Group {
  readonly collector: Collector<CollectItem<Fields>, Patch>;
  /** Messages waiting. */
  readonly most: number;
}

export class Collecting {
  readonly #declaration: AdapterDeclaration;
  readonly #collect: Collect<Fields, unknown>;
  readonly #prepared: unknown;
  readonly #deps: Deps;
  readonly #groups = new Map<string, Group>();

  constructor(
    declaration: AdapterDeclaration,
    collect: Collect<Fields, unknown>,
    prepared: unknown,
    deps: Deps,
  ) {
    this.#declaration = declaration;
    this.#collect = collect;
    this.#prepared = prepared;
    this.#deps = deps;
    deps.scope.onAbort((reason) => {
      for (const group of this.#groups.values()) group.collector.cancel(reason);
    });
  }

  /** Undefined: the message goes alone. */
  add(values: Values, msg: Message, key: string): Promise<Patch> | undefined {
    const groupKey = this.#collect.key(values, this.#prepared);
    if (groupKey === undefined) return undefined;
    // A joined call has one effect and one timeout.
    const effect = this.#declaration.effect(values, msg);
    const group = this.#group(`${effect} ${Number(values.timeout)} ${groupKey}`, values);
    if (group.collector.size >= group.most) return Promise.reject(this.#full(group.collector.size));
    return group.collector.add({ values, msg, key });
  }

  #full(waiting: number): Failure {
    this.#deps.meter.bulkheadFull();
    return bulkheadFull(`"${this.#deps.connection.name}"`, 1, waiting);
  }

  hurry(): void {
    for (const group of this.#groups.values()) group.collector.hurry();
  }

  #group(key: string, values: Values): Group {
    const known = this.#groups.get(key);
    if (known) return known;
    if (this.#groups.size >= MOST_GROUPS) this.#dropIdle();
    const limits = this.#collect.limits(values);
    const collector = new Collector<CollectItem<Fields>, Patch>(this.#deps.runtime.clock, limits, (items) =>
      this.#flush(items),
    );
    const most = Math.max(this.#deps.connection.queueLength, FULL_CALLS * limits.items);
    const group = { collector, most };
    this.#groups.set(key, group);
    return group;
  }

  #dropIdle(): void {
    for (const [key, group] of this.#groups) if (group.collector.size === 0) this.#groups.delete(key);
  }

  async #flush(items: readonly CollectItem<Fields>[]): Promise<readonly ItemResult<Patch>[]> {
    const { connection, runtime, log, source, scope, retry, meter } = this.#deps;
    const first = items[0];
    if (!first) return [];
    let on: unknown;
    let running = false;
    const effect = this.#declaration.effect(first.values, first.msg);
    const operation = {
      effect,
      timeoutMs: first.values.timeout as unknown as number,
      retry,
      key: first.key,
      scope,
      listener: meter,
      call: async (session: unknown, call: Call) => {
        on = session;
        running = true;
        const { clock } = runtime;
        try {
          return await this.#collect.call(items, {
            session,
            prepared: this.#prepared,
            call,
            log,
            source,
            clock,
          });
        } finally {
          running = false;
        }
      },
    };
    let outcomes: readonly Outcome[];
    try {
      outcomes = await connection.run<readonly Outcome[]>(operation);
    } catch (error) {
      throw effect === 'once' && running ? interrupted(connection.name, error) : error;
    }
    if (outcomes.length !== items.length) {
      throw new Failure(
        'unclassified',
        'UNCLASSIFIED',
        `A joined call returned ${outcomes.length} outcomes for ${items.length} messages.`,
      );
    }
    return outcomes.map((one) =>
      one.ok ? { ok: true, value: one.patch } : { ok: false, error: connection.met(on, one.error) },
    );
  }
}
