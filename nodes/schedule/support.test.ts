/** What the tests of this folder share: one schedule node on a virtual clock and a store in memory. */
import assert from 'node:assert/strict';
import { isFailure, Scope, silentLog, type Failure, type Message, type StateStore } from '../../lib/core';
import type { TriggerContext } from '../../lib/roles';
import { parse, type ValuesOf } from '../../lib/spec';
import { surroundings } from '../../test/helpers/surroundings';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import type { LedgerEntry } from './ledger';
import { trigger } from './trigger';

type F = typeof trigger.fields;
type P = ReturnType<NonNullable<typeof trigger.prepare>>;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export class MemoryStore implements StateStore {
  value: unknown;
  saves = 0;
  failing = false;
  load = (): Promise<unknown> =>
    this.failing ? Promise.reject(new Error('disk is gone')) : Promise.resolve(this.value);
  save = (value: unknown): Promise<void> => {
    if (this.failing) return Promise.reject(new Error('disk is full'));
    this.saves += 1;
    this.value = JSON.parse(JSON.stringify(value));
    return Promise.resolve();
  };
}

export interface Fired {
  readonly name: string;
  readonly due: string;
  readonly fired: string;
  readonly late: number;
  readonly reason: string;
}

export const row = (name: string, when: string, more: object = {}): object => ({
  name,
  kind: /^\d/.test(when) && !when.includes(' ') ? 'interval' : 'cron',
  when,
  payload: name,
  payloadType: 'str',
  ...more,
});

export function configOf(raw: object): ValuesOf<F> {
  const parsed = parse(trigger.fields, { timeZone: 'UTC', ...raw });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.values;
}

export function failureOf(fn: () => unknown): Failure {
  try {
    fn();
  } catch (error) {
    assert.ok(isFailure(error), String(error));
    return error;
  }
  throw new Error('It did not throw.');
}

export class Bench {
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly sent: { readonly msg: Message; readonly output: number }[] = [];
  readonly warnings: string[] = [];
  note = '';
  random = (): number => 0;
  #stop: (() => void | Promise<void>) | undefined;
  #context: TriggerContext<F, undefined, P> | undefined;

  constructor(clock = new VirtualClock(), store = new MemoryStore()) {
    this.clock = clock;
    this.store = store;
  }

  async start(raw: object): Promise<this> {
    const config = configOf(raw);
    const { prepare, start } = trigger;
    assert.ok(prepare && start);
    this.#context = {
      ...surroundings,
      config,
      session: undefined,
      prepared: prepare(config),
      scope: new Scope(),
      log: { ...silentLog, warn: (text) => void this.warnings.push(text) },
      clock: this.clock,
      random: () => this.random(),
      store: this.store,
      emit: (msg, output = 0) => void this.sent.push({ msg, output }),
      note: (text) => {
        this.note = text;
      },
    };
    this.#stop = await start(this.#context);
    return this;
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    assert.equal(this.clock.pending, 0, 'a timer is left');
  }

  /** Stops, lets time pass, and starts again on what was stored. */
  async outage(ms: number, raw: object): Promise<Bench> {
    await this.stop();
    await this.clock.advance(ms);
    return new Bench(this.clock, this.store).start(raw);
  }

  async send(msg: Message): Promise<void> {
    assert.ok(this.#context && trigger.input);
    await trigger.input(msg, this.#context);
  }

  get runs(): Fired[] {
    return this.sent.filter(({ output }) => output === 0).map(({ msg }) => msg['schedule'] as Fired);
  }

  get times(): string[] {
    return this.runs.map(({ due }) => due.slice(5, 16));
  }

  get decisions(): LedgerEntry[] {
    const ledger = this.sent.filter(({ output, msg }) => output === 1 && msg.topic === 'decision');
    return ledger.map(({ msg }) => msg.payload as LedgerEntry);
  }

  get skipped(): string[] {
    return this.decisions
      .filter((one) => one.decision === 'skipped')
      .map((one) => `${one.reason} ${one.count ?? 1}`);
  }
}
