/** One system in a running Node-RED, behind a fault proxy: its connection and every sample of its nodes. */
import assert from 'node:assert/strict';
import { CODES, FAILURE_KINDS, isReading, systemClock, type Message } from '../../lib/core';
import { boot, type Completion, type FlowNode, type Headless } from '../../lib/headless';
import type { ConnectorDeclaration, Simulator } from '../../lib/roles';
import type { RawConfig } from '../../lib/spec';
import { startFaultProxy, type FaultProxy } from '../faults';
import { assertConserved, ledgerOf, metricsText } from './metrics';
import { connectionBase, leadTo, samplesOf, type NodeSample } from './samples';
import { simulatorOf, type System } from './systems';
import type { Peer } from './types';

/** Short policies, so that a fault shows within a second. Nothing in a test depends on these numbers. */
const QUICK_CONNECTION: RawConfig = {
  simulate: false,
  openTimeout: '500ms',
  reopenMax: '1s',
  pingEvery: '500ms',
  breakerMode: 'consecutive',
  breakerFailures: 3,
  breakerOpen: '300ms',
};
const QUICK_CALL: RawConfig = {
  timeout: '400ms',
  retryStrategy: 'fixed',
  retryAttempts: 2,
  retryBase: '50ms',
  cacheFor: '0ms',
};
const PULSE_MS = 100;
const RECOVERY_LIMIT_MS = 25_000;

export interface Station {
  readonly id: string;
  readonly sample: NodeSample;
  readonly role: 'adapter' | 'trigger';
}
export interface RigOptions {
  readonly system: System;
  readonly connector: ConnectorDeclaration;
  /** Replaces what leads the connection to the proxy. */
  readonly connection?: (peer: Peer) => RawConfig;
  readonly credentials?: Readonly<Record<string, string>>;
  /** Replaces settings of the Delivery tab. */
  readonly call?: RawConfig;
  /** Only these samples. */
  readonly samples?: readonly NodeSample[];
}

export class Rig {
  readonly #codes: Set<string>;
  #sent = 0;
  /** Completions whose failures were judged. */
  #checked = 0;
  /** Of every message ever sent: its id and where it went. */
  readonly sent = new Map<string, string>();

  private constructor(
    readonly red: Headless,
    readonly proxy: FaultProxy,
    readonly simulator: Peer,
    readonly stations: readonly Station[],
    readonly stop: () => Promise<void>,
    system: System,
  ) {
    const own = system.declarations.flatMap((one) => Object.keys(one.codes ?? {}));
    this.#codes = new Set([...Object.keys(CODES), ...own]);
  }

  static async start(options: RigOptions): Promise<Rig> {
    const { system, connector } = options;
    const simulator = await startPeer(system);
    const proxy = await startFaultProxy({ target: simulator });
    const stations = options.samples ? stationsFrom(system, options.samples) : allStations(system);
    const lead = options.connection ?? ((peer: Peer) => leadTo(system, connector, peer));
    const connection: RawConfig = {
      ...connectionBase(system, connector),
      ...QUICK_CONNECTION,
      ...lead(proxy),
    };
    const red = await boot({
      flows: flowsOf(connector, connection, stations, options.call ?? {}),
      credentials: {
        link: { ...system.contract.credentials, ...options.credentials },
        ...Object.fromEntries(stations.map(({ id, sample }) => [id, sample.credentials ?? {}])),
      },
      http: true,
    }).catch(async (error: unknown) => {
      await proxy.close();
      await simulator.close();
      throw error;
    });
    const stop = async (): Promise<void> => {
      await red.stop();
      await proxy.close();
      await simulator.close();
    };
    return new Rig(red, proxy, simulator, stations, stop, system);
  }

  get adapters(): readonly Station[] {
    return this.stations.filter((one) => one.role === 'adapter');
  }

  /** Sends a fresh copy of the sample's message. Returns its id. */
  send(station: Station): string {
    this.#sent += 1;
    const id = `m${this.#sent}`;
    this.sent.set(id, station.id);
    this.red.receive(station.id, { ...structuredClone(station.sample.msg), _msgid: id });
    return id;
  }

  completions(msgid: string): readonly Completion[] {
    return this.red.record.completions.filter(
      (one) => one.msg._msgid === msgid && this.sent.get(msgid) === one.id,
    );
  }

  /** Waits until each of these messages is done. */
  async done(ids: readonly string[]): Promise<readonly Completion[]> {
    return this.red.record.until(`done of ${ids.length} messages`, () => {
      const all = ids.map((id) => this.completions(id)[0]);
      return all.every((one) => one !== undefined) ? all : undefined;
    });
  }

  /**
   * Sends a message every 100 ms until one succeeds, for triggers waits until one emits. The status then calls
   * the link up: green, grey before the first use, or yellow while the last minute counts many failures.
   */
  async works(): Promise<void> {
    await Promise.all(
      this.stations.map((station) =>
        station.role === 'adapter' ? this.#delivers(station) : this.#emits(station),
      ),
    );
    for (const { id } of this.stations) {
      await this.red.waitForStatus(id, ({ fill, shape }) => fill !== 'red' && shape === 'dot');
    }
  }

  #delivers(station: Station): Promise<void> {
    return this.#pulse(station, 'does not recover', isGood);
  }

  /** Sends a message every 100 ms until one fails with this kind. */
  failsWith(station: Station, kind: string): Promise<void> {
    return this.#pulse(station, `does not fail as ${kind}`, (one) => kindOf(one) === kind);
  }

  /** Whether a failure of this code was seen, as an error or as the reason of one. */
  sawCode(code: string): boolean {
    const has = (error: unknown): boolean =>
      typeof error === 'object' &&
      error !== null &&
      ((error as { code?: unknown }).code === code || has((error as { cause?: unknown }).cause));
    return this.red.record.completions.some((one) => has(one.error));
  }

  async #pulse(station: Station, complaint: string, fits: (one: Completion) => boolean): Promise<void> {
    const end = performance.now() + RECOVERY_LIMIT_MS;
    for (;;) {
      const [completion] = await this.done([this.send(station)]);
      if (completion && fits(completion)) return;
      const hopeless = completion !== undefined && kindOf(completion) === 'config';
      if (hopeless || performance.now() > end) {
        throw new Error(`${station.id} ${complaint}: ${String(completion?.error)}\n${this.#lastLines()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PULSE_MS));
    }
  }

  /** What Catch got and what was logged last, for the report of a failed test. */
  #lastLines(): string {
    const caught = this.red.record.received('caught').slice(-4);
    const errors = caught.map((msg) => (msg['error'] as { message?: string } | undefined)?.message ?? '');
    const logs = this.red.record.logs.filter((line) => line.level <= 30).slice(-4);
    return [...errors, ...logs.map((line) => `${line.type}: ${line.text}`)]
      .map((line) => `  ${line}`)
      .join('\n');
  }

  async #emits(station: Station): Promise<void> {
    const out = `${station.id}-out`;
    const before = this.red.record.received(out).length;
    await this.red.record.until(
      `a message from ${station.id}`,
      () =>
        this.red.record
          .received(out)
          .slice(before)
          .some((msg) => !hasBadReading(msg)),
      RECOVERY_LIMIT_MS,
    );
  }

  /** Waits until every node says that something is wrong. Returns when each said so first since `since`. */
  async showsTrouble(since: number): Promise<readonly number[]> {
    return Promise.all(
      this.stations.map(({ id }) =>
        this.red.record.until(`trouble in the status of ${id}`, () => {
          const seen = this.red.record.statuses(id).find((one) => one.at >= since && isTrouble(one.fill));
          return seen?.at;
        }),
      ),
    );
  }

  /** Each message ever sent is done once; what failed has a documented code; nothing is lost in the books. */
  async checkBooks(): Promise<void> {
    for (const [msgid, station] of this.sent) {
      const times = this.completions(msgid).length;
      assert.equal(times, 1, `${msgid} at ${station} was done ${times} times`);
    }
    const seen = this.red.record.completions.length;
    const fresh = this.red.record.completions.slice(this.#checked);
    this.#checked = seen;
    for (const { error } of fresh) if (error) this.#checkFailure(error);
    const text = await metricsText(this.red.url ?? '');
    for (const { id } of this.adapters) {
      const ledger = ledgerOf(text, id);
      assertConserved(ledger, id);
      const sent = [...this.sent.values()].filter((station) => station === id).length;
      assert.equal(ledger.in, sent, `${id} counted ${ledger.in} of ${sent} messages`);
    }
  }

  #checkFailure(error: unknown): void {
    const { kind, code, message } = error as { kind?: string; code?: string; message?: string };
    const what = `${String(kind)} ${String(code)}: ${String(message)}`;
    assert.ok(
      FAILURE_KINDS.some((known) => known === kind),
      `not a failure: ${what}`,
    );
    assert.notEqual(kind, 'unclassified', what);
    assert.ok(this.#codes.has(String(code)), `an undocumented code: ${what}`);
    assert.match(String(message), /^\S.*[.!?]$/s, `not a sentence: ${what}`);
  }
}

/** A success that tells good values. A reading of bad quality tells the truth about a fault, not success. */
export function isGood({ error, msg }: Completion): boolean {
  return (error === undefined || error === null) && !hasBadReading(msg);
}

function kindOf({ error }: Completion): string | undefined {
  return (error as { kind?: string } | undefined)?.kind;
}

function hasBadReading({ payload }: Message): boolean {
  return Array.isArray(payload) && payload.some((one) => isReading(one) && one.quality === 'bad');
}

export function isTrouble(fill: string | undefined): boolean {
  return fill === 'red' || fill === 'yellow';
}

async function startPeer(system: System): Promise<Simulator> {
  const { server } = system.contract;
  if (server) return { ...server.peer, close: () => Promise.resolve() };
  return simulatorOf(system).start({ port: 0, seed: 1, clock: systemClock });
}

export function allStations(system: System): readonly Station[] {
  const samples = system.declarations.flatMap((declaration) =>
    (declaration.role === 'adapter' || declaration.role === 'trigger') && declaration.connector
      ? samplesOf(system, declaration)
      : [],
  );
  return stationsFrom(system, samples);
}

function stationsFrom(system: System, samples: readonly NodeSample[]): readonly Station[] {
  return samples.map((sample, i) => {
    const role = system.declarations.find((one) => one.type === sample.type)?.role;
    return { id: `${system.name}-${i}`, sample, role: role === 'trigger' ? 'trigger' : 'adapter' };
  });
}

function flowsOf(
  connector: ConnectorDeclaration,
  connection: RawConfig,
  stations: readonly Station[],
  call: RawConfig,
): FlowNode[] {
  return [
    { id: 'tab', type: 'tab', label: connector.type },
    { ...connection, id: 'link', type: connector.type },
    { id: 'caught', type: 'catch', z: 'tab', scope: null, wires: [[]] },
    ...stations.flatMap(({ id, sample }): FlowNode[] => [
      {
        ...sample.config,
        ...QUICK_CALL,
        ...call,
        connection: 'link',
        id,
        type: sample.type,
        z: 'tab',
        wires: [[`${id}-out`], [`${id}-reports`]],
      },
      { id: `${id}-out`, type: 'debug', z: 'tab', active: false, wires: [] },
      { id: `${id}-reports`, type: 'debug', z: 'tab', active: false, wires: [] },
    ]),
  ];
}
