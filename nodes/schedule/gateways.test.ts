/** What the tests of several gateways share: gateways with clocks of their own on one memory cluster. */
import assert from 'node:assert/strict';
import { Failure, Scope, silentLog, type Clock, type Message, type Timer } from '../../lib/core';
import type { Cluster, Held } from '../../lib/queue/cluster';
import { memoryCluster } from '../../lib/queue/memory-cluster';
import type { TriggerContext } from '../../lib/roles';
import type { Coordinator } from '../../lib/roles/coordinator';
import { surroundings } from '../../test/helpers/surroundings';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import type { LedgerEntry } from './ledger';
import { configOf, MemoryStore } from './support.test';
import { trigger } from './trigger';

type F = typeof trigger.fields;
type P = ReturnType<NonNullable<typeof trigger.prepare>>;

/** A gateway's clock: its wall time may be wrong, and it may stand still with all that it runs. */
export class GatewayClock implements Clock {
  skew = 0;
  /** Time that the machine slept through and its monotonic clock did not count. */
  slept = 0;
  #frozen: (() => void)[] | undefined;

  constructor(readonly base: VirtualClock) {}

  readonly now = (): number => this.base.now() + this.skew;
  readonly mono = (): number => this.base.mono() - this.slept;
  readonly timer = (ms: number, fn: () => void): Timer => {
    let over = false;
    const run = (): void => {
      if (over) return;
      if (this.#frozen) this.#frozen.push(run);
      else fn();
    };
    const timer = this.base.timer(ms, run);
    return {
      cancel: () => {
        over = true;
        timer.cancel();
      },
    };
  };
  freeze(): void {
    this.#frozen = [];
  }
  thaw(): void {
    const late = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const run of late) run();
  }
}

/** The way to the cluster, which can be cut and slowed down. */
export class Way implements Coordinator {
  readonly name = 'way';
  asked = 0;
  /** What comes before each request; a rejection means that it was not sent. */
  before: () => Promise<void> = () => Promise.resolve();
  /** What comes after it; a rejection means that its answer was lost. */
  after: () => Promise<void> = () => Promise.resolve();
  /** Stands for what the store says about the leases that it gives out. */
  lost: Scope | undefined;
  readonly cluster: Cluster;
  #up = true;
  readonly #watchers = new Set<{ fn: (cluster: Cluster) => () => void; end: () => void }>();

  constructor({ leases, shared }: Cluster) {
    const acquire: Cluster['leases']['acquire'] = async (name, request) => {
      const held = await leases.acquire(name, request);
      return held && this.lost ? told(held, this.lost) : held;
    };
    this.cluster = { leases: { acquire }, shared };
  }

  async ask<T>(fn: (cluster: Cluster) => Promise<T>): Promise<T> {
    this.asked += 1;
    await this.before();
    if (!this.#up) throw away();
    const answer = await fn(this.cluster);
    await this.after();
    if (!this.#up) throw away();
    return answer;
  }
  onOpen(fn: (cluster: Cluster) => () => void): () => Promise<void> {
    const one = { fn, end: this.#up ? fn(this.cluster) : (): void => {} };
    this.#watchers.add(one);
    return () => {
      this.#watchers.delete(one);
      one.end();
      return Promise.resolve();
    };
  }
  cut(): void {
    this.#up = false;
    for (const one of this.#watchers) one.end();
  }
  heal(): void {
    this.#up = true;
    for (const one of this.#watchers) one.end = one.fn(this.cluster);
  }
}

function told(held: Held, lost: Scope): Held {
  return { fence: held.fence, lost, renew: () => held.renew(), release: () => held.release() };
}

export function away(): Failure {
  return new Failure('disconnected', 'CONNECTION_LOST', 'The server is away.');
}

export class Site {
  readonly clock = new VirtualClock();
  readonly cluster = memoryCluster(this.clock);
  readonly #gateways: Gateway[] = [];

  constructor(readonly raw: object) {}

  async gateway(name: string, skew = 0, more: object = {}, lost?: Scope): Promise<Gateway> {
    const gateway = new Gateway(name, this, skew);
    gateway.way.lost = lost;
    this.#gateways.push(gateway);
    await gateway.start({ ...this.raw, ...more });
    return gateway;
  }

  /** Due times of all runs of all gateways, "12:00:01", in the order in which they were sent. */
  get dues(): string[] {
    const runs = this.#gateways.flatMap((gateway) => gateway.runs);
    return runs.toSorted((a, b) => a.order - b.order).map(({ due }) => due.slice(11, 19));
  }

  async close(): Promise<void> {
    for (const gateway of this.#gateways) await gateway.stop();
    assert.equal(this.clock.pending, 0, 'a timer is left');
  }
}

export interface GroupRun {
  readonly order: number;
  readonly name: string;
  readonly due: string;
  readonly reason: string;
  readonly fence?: number;
}
let order = 0;

export class Gateway {
  readonly clock: GatewayClock;
  readonly way: Way;
  readonly store = new MemoryStore();
  readonly runs: GroupRun[] = [];
  readonly ledger: LedgerEntry[] = [];
  readonly warnings: string[] = [];
  note = '';
  level: string | undefined;
  #scope = new Scope();
  #stop: (() => void | Promise<void>) | undefined;
  #context: TriggerContext<F, undefined, P> | undefined;

  constructor(
    readonly name: string,
    site: Site,
    skew: number,
  ) {
    this.clock = new GatewayClock(site.clock);
    this.clock.skew = skew;
    this.way = new Way(site.cluster);
  }

  async start(raw: object): Promise<void> {
    const config = configOf({ missed: 'all', ...raw });
    assert.ok(trigger.prepare && trigger.start);
    this.#scope = new Scope();
    const seed = Number.parseInt(this.name, 36);
    const scope = this.#scope;
    this.#context = {
      ...surroundings,
      config,
      session: undefined,
      prepared: trigger.prepare(config),
      scope,
      log: { ...silentLog, warn: (text) => void this.warnings.push(text) },
      clock: this.clock,
      random: () => seed / 100,
      store: this.store,
      coordinator: this.way,
      emit: (msg, output = 0) => {
        if (!scope.aborted) this.#sent(msg, output);
      },
      note: (text, level) => {
        this.note = text;
        this.level = level;
      },
    };
    this.#stop = await trigger.start(this.#context);
  }

  /** As its role ends it. */
  async stop(): Promise<void> {
    const stop = this.#stop;
    this.#stop = undefined;
    this.#scope.abort();
    await stop?.();
  }

  /** As SIGKILL ends it: nothing of it happens any more, and it tells nobody. */
  kill(): void {
    this.clock.freeze();
    this.way.cut();
  }

  async send(msg: Message): Promise<void> {
    assert.ok(this.#context && trigger.input);
    await trigger.input(msg, this.#context);
  }

  /** "leader lease", "skipped takeover 3" … without what ran. */
  get told(): string[] {
    return this.ledger
      .filter(({ decision }) => decision !== 'ran')
      .map(({ decision, reason, count }) => [decision, reason, count ?? ''].join(' ').trim());
  }

  #sent(msg: Message, output: number): void {
    if (output === 0)
      this.runs.push({ order: (order += 1), ...(msg['schedule'] as Omit<GroupRun, 'order'>) });
    else if (msg.topic === 'decision') this.ledger.push(msg.payload as LedgerEntry);
  }
}

/** "00:00:01" to "00:00:0n". */
export function seconds(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => {
    return new Date(Date.UTC(2026, 0, 1) + (from + i) * 1000).toISOString().slice(11, 19);
  });
}
