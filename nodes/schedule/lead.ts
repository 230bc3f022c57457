/** Which of several gateways does the work: the one that holds a lease and keeps renewing it. */
import { toFailure, type Clock, type Failure, type Log, type Timer } from '../../lib/core';
import type { Cluster, Held, Json } from '../../lib/queue/cluster';
import type { Coordinator } from '../../lib/roles/coordinator';
import { watchAll } from './watch-all';

/**
 * `asking`: not answered yet. `unreachable`: nobody can be asked and no lease is ours. `alone`: as before, for so long
 * that the settings let this gateway run by itself.
 */
export type LeadState = 'asking' | 'leader' | 'standby' | 'unreachable' | 'alone';

export interface LeadOptions {
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  readonly log: Log;
  /** The same on all gateways that share the work. */
  readonly group: string;
  /** This gateway, for people. */
  readonly holder: string;
  readonly ttlMs: number;
  /** How long nobody can be asked before this gateway runs alone; undefined: it never does. */
  readonly aloneAfterMs: number | undefined;
}
export interface LeadListener {
  /** What the leaders share: whenever it changes, and before this gateway leads, then with its own fencing number. */
  learned(value: Json, fence?: number): void;
  changed(state: LeadState, before: LeadState): void;
}

/** Of its time, a lease is used no longer than this part: two machines' clocks do not run at the same speed. */
const SAFE_PART = 0.9;

export class Lead {
  #listener: LeadListener | undefined;
  #state: LeadState = 'asking';
  #held: { readonly lease: Held; readonly cluster: Cluster } | undefined;
  /** When the last renewal that was granted had been asked for. */
  #granted = { mono: -Infinity, now: -Infinity };
  #failedAt: number | undefined;
  #next: Timer | undefined;
  #end: Timer | undefined;
  #busy = false;
  #again = false;
  #stopped = false;
  #working: Promise<void> = Promise.resolve();
  #unwatch: (() => Promise<void>) | undefined;

  constructor(private readonly options: LeadOptions) {}

  start(listener: LeadListener): void {
    this.#listener = listener;
    const { coordinator, log } = this.options;
    this.#unwatch = coordinator.onOpen((cluster) => {
      void this.#tick();
      const learn = (value: Json): void => {
        if (!this.#stopped) listener.learned(value);
      };
      const freed = (): void => {
        if (this.#state !== 'leader') void this.#tick();
      };
      return watchAll(cluster.shared, { [this.#pastKey]: learn, [this.#freeKey]: freed }, log);
    });
    void this.#tick();
  }

  get state(): LeadState {
    return this.#state;
  }

  /** Looked at right before each run. */
  get mayRun(): boolean {
    return !this.#stopped && (this.#state === 'alone' || this.#isValid());
  }

  /** The fencing number of the lease; undefined without one. */
  get fence(): number | undefined {
    return this.#isValid() ? this.#held?.lease.fence : undefined;
  }

  /** A leader whose lease is in doubt (the process was frozen, the clock was set) asks at once. */
  doubt(): void {
    if (this.#state !== 'leader' || this.#isValid()) return;
    this.#become('asking');
    void this.#tick();
  }

  /** True: it is stored, and this gateway still leads. */
  async share(value: Json): Promise<boolean> {
    if (this.#state === 'alone') return true;
    if (!this.#isValid()) return false;
    try {
      await this.options.coordinator.ask(({ shared }) => shared.put(this.#pastKey, value));
    } catch (error) {
      this.options.log.debug(`The runs could not be shared: ${toFailure(error).message}`);
      return false;
    }
    return this.#isValid();
  }

  /** Gives the lease back, so that another gateway goes on at once from `past`. */
  async stop(past: Json): Promise<void> {
    const leads = this.#isValid();
    this.#stopped = true;
    this.#next?.cancel();
    this.#end?.cancel();
    await this.#unwatch?.();
    // A renewal on its way would change what is given back.
    await this.#working.catch(() => {});
    if (!this.#held) return;
    const { lease, cluster } = this.#held;
    if (leads) await cluster.shared.put(this.#pastKey, past).catch(() => {});
    await lease.release();
    if (leads) await cluster.shared.put(this.#freeKey, lease.fence).catch(() => {});
  }

  get #pastKey(): string {
    return `schedule past ${this.options.group}`;
  }
  get #freeKey(): string {
    return `schedule free ${this.options.group}`;
  }

  async #tick(): Promise<void> {
    if (this.#stopped) return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#again = false;
    this.#next?.cancel();
    const { coordinator, clock, ttlMs } = this.options;
    try {
      await coordinator.ask((cluster) => (this.#working = this.#ask(cluster)));
      this.#failedAt = undefined;
    } catch (error) {
      if (!this.#stopped) this.#unanswered(toFailure(error));
    }
    this.#busy = false;
    if (this.#stopped) return;
    if (this.#again) return this.#tick();
    this.#next = clock.timer(ttlMs / 3, () => void this.#tick());
  }

  async #ask(cluster: Cluster): Promise<void> {
    const { clock, ttlMs, holder, group } = this.options;
    const asked = { mono: clock.mono(), now: clock.now() };
    const held = this.#held;
    // A lease of an earlier session cannot be renewed in this one; it ends by itself.
    if (held?.cluster === cluster && !held.lease.lost.aborted && (await held.lease.renew())) {
      return this.#grant(asked);
    }
    const lease = await cluster.leases.acquire(`schedule ${group}`, { ttlMs, holder });
    if (!lease) {
      if (!this.#isValid()) this.#become('standby');
      return;
    }
    if (this.#stopped) return lease.release();
    try {
      const past = await cluster.shared.get(this.#pastKey);
      if (past) this.#listener?.learned(past.value, lease.fence);
    } catch (error) {
      await lease.release();
      throw error;
    }
    await held?.lease.release();
    this.#held = { lease, cluster };
    this.#grant(asked);
  }

  #grant(asked: { readonly mono: number; readonly now: number }): void {
    if (this.#stopped) return;
    const { clock, ttlMs } = this.options;
    this.#granted = asked;
    this.#end?.cancel();
    const left = asked.mono + ttlMs * SAFE_PART - clock.mono();
    this.#end = clock.timer(left, () => this.#expired());
    if (this.#isValid()) this.#become('leader');
  }

  /** Wall time counts too: a machine that slept may not have counted it on the other clock. */
  #isValid(): boolean {
    if (!this.#held || this.#held.lease.lost.aborted) return false;
    const { clock, ttlMs } = this.options;
    const passed = Math.max(clock.mono() - this.#granted.mono, clock.now() - this.#granted.now);
    return passed < ttlMs * SAFE_PART;
  }

  #expired(): void {
    if (this.#state === 'leader' && !this.#isValid()) this.#become('unreachable');
  }

  #unanswered(failure: Failure): void {
    const { clock, log, aloneAfterMs, ttlMs, coordinator } = this.options;
    const now = clock.mono();
    if (this.#failedAt === undefined) {
      log.warn(`The other gateways cannot be asked through "${coordinator.name}": ${failure.message}`);
    }
    this.#failedAt ??= now;
    if (this.#isValid()) return;
    const alone = aloneAfterMs !== undefined && now - this.#failedAt >= Math.max(aloneAfterMs, ttlMs);
    this.#become(alone ? 'alone' : 'unreachable');
  }

  #become(state: LeadState): void {
    const before = this.#state;
    if (this.#stopped || state === before) return;
    this.#state = state;
    this.#listener?.changed(state, before);
  }
}
