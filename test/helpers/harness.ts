/** Runs declarations through the roles, without Node-RED: for tests of one system. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { systemClock, type Clock, type Failure, type Message, type StateStore } from '../../lib/core';
import { AdapterNode } from '../../lib/roles/adapter';
import { Connection } from '../../lib/roles/connection';
import type {
  AdapterDeclaration,
  ConnectorDeclaration,
  MapperDeclaration,
  MonitorDeclaration,
  TriggerDeclaration,
} from '../../lib/roles/declare';
import { MapperNode } from '../../lib/roles/mapper';
import { MonitorNode } from '../../lib/roles/monitor';
import { createRuntime, type Host, type Runtime } from '../../lib/roles/runtime';
import { readSettings } from '../../lib/roles/settings';
import type { Status } from '../../lib/roles/status';
import { TriggerNode } from '../../lib/roles/trigger';
import { localQueues, type LocalQueues } from '../../lib/queue/local';
import { openMemoryStore } from '../../lib/queue/memory/store';
import type { VirtualClock } from './virtual-clock';
import type { RawConfig } from '../../lib/spec';

export interface Recorded {
  /** What the node showed, in order. */
  readonly statuses: Status[];
  /** What it logged, `level text`. */
  readonly lines: string[];
  /** What it sent without an input, with the output's number. */
  readonly sent: { readonly msg: Message; readonly output: number }[];
  /** Failures that no input caused. */
  readonly failures: Failure[];
  /** Resolves with the next sent message (or one that nobody took yet). */
  next(): Promise<Message>;
  /** Resolves once the node shows a status that passes. */
  shows(test: (status: Status) => boolean): Promise<Status>;
}

export interface HarnessOptions {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a store in memory. */
  readonly queues?: LocalQueues;
}

export class Harness {
  readonly runtime: Runtime;
  readonly #stores = new Map<string, unknown>();
  readonly #closers: (() => void | Promise<void>)[] = [];
  #ids = 0;

  constructor(options: HarnessOptions = {}) {
    const clock = options.clock ?? systemClock;
    this.runtime = createRuntime({
      clock,
      random: options.random ?? Math.random,
      directory: options.directory ?? tmpdir(),
      env: options.env ?? {},
      store: (id, secret) => this.#store(`${id} ${String(secret)}`),
      queues: options.queues ?? localQueues(() => Promise.resolve(openMemoryStore({ clock }))),
      forget: () => Promise.resolve(),
    });
  }

  /** A connection node. Its host is recorded in `recorded`. */
  connection<S = unknown>(
    declaration: ConnectorDeclaration<never, S> | ConnectorDeclaration,
    raw: RawConfig,
    secrets: RawConfig = {},
  ): { connection: Connection; recorded: Recorded } {
    const general = declaration as ConnectorDeclaration;
    const { host, recorded } = this.#host(general.type, raw);
    const connection = new Connection(general, readSettings(general, raw, secrets), host, this.runtime);
    this.#closers.push(() => connection.close());
    return { connection, recorded };
  }

  /** An adapter node: `send` resolves with what came out, or rejects with the Failure. */
  adapter(
    declaration: AdapterDeclaration,
    connection: Connection,
    raw: RawConfig,
  ): { send(msg: Message): Promise<Message[]>; node: AdapterNode; recorded: Recorded } {
    const { host, recorded } = this.#host(declaration.type, raw);
    const settings = readSettings(declaration, { connection: connection.id, ...raw }, {});
    const node = new AdapterNode(declaration, settings, connection, host, this.runtime);
    this.#closers.push(() => node.close());
    const send = async (msg: Message): Promise<Message[]> => {
      const out: Message[] = [];
      await node.input(msg, (one) => out.push(one));
      return out;
    };
    return { send, node, recorded };
  }

  trigger(
    declaration: TriggerDeclaration,
    connection: Connection | undefined,
    raw: RawConfig,
  ): { node: TriggerNode; recorded: Recorded } {
    const { host, recorded } = this.#host(declaration.type, raw);
    const settings = readSettings(declaration, { connection: connection?.id ?? '', ...raw }, {});
    const node = new TriggerNode(declaration, settings, connection, host, this.runtime);
    this.#closers.push(() => node.close());
    return { node, recorded };
  }

  mapper(
    declaration: MapperDeclaration,
    raw: RawConfig,
  ): { send(msg: Message): Promise<Message[]>; node: MapperNode; recorded: Recorded } {
    const { host, recorded } = this.#host(declaration.type, raw);
    const node = new MapperNode(declaration, readSettings(declaration, raw, {}), host, this.runtime);
    this.#closers.push(() => node.close());
    const send = async (msg: Message): Promise<Message[]> => {
      const out: Message[] = [];
      await node.input(msg, (one) => out.push(one));
      return out;
    };
    return { send, node, recorded };
  }

  monitor(declaration: MonitorDeclaration, raw: RawConfig): { node: MonitorNode; recorded: Recorded } {
    const { host, recorded } = this.#host(declaration.type, raw);
    const node = new MonitorNode(declaration, readSettings(declaration, raw, {}), host, this.runtime);
    this.#closers.push(() => node.close());
    return { node, recorded };
  }

  /** Nodes first, then connections, as Node-RED's stop does in effect. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    this.runtime.wheel.close();
  }

  /** Closes within the 15 s that Node-RED gives, on a virtual clock, and demands that no timer is left. */
  async closeOn(clock: VirtualClock): Promise<void> {
    const closing = this.close();
    await clock.advance(15_000);
    await closing;
    assert.equal(clock.pending, 0, 'timers left');
  }

  #host(type: string, raw: RawConfig): { host: Host; recorded: Recorded } {
    const record = new Recorder();
    this.#ids += 1;
    const id = `n${this.#ids}`;
    const host: Host = {
      id,
      type,
      name: typeof raw.name === 'string' && raw.name !== '' ? raw.name : id,
      source: { node: id, name: id, type, flow: 'test' },
      log: record.log,
      show: (status) => record.show(status),
      send: (msg, output) => record.send(msg, output),
      fail: (failure) => record.failures.push(failure),
      evaluate: (typed) => Promise.reject(new Error(`The harness cannot evaluate "${typed.type}" inputs.`)),
    };
    return { host, recorded: record };
  }

  #store(key: string): StateStore {
    return {
      load: () => Promise.resolve(structuredClone(this.#stores.get(key))),
      save: (value) => {
        this.#stores.set(key, structuredClone(value));
        return Promise.resolve();
      },
    };
  }
}

class Recorder implements Recorded {
  readonly statuses: Status[] = [];
  readonly lines: string[] = [];
  readonly sent: { readonly msg: Message; readonly output: number }[] = [];
  readonly failures: Failure[] = [];
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  readonly log = {
    error: (text: string) => void this.lines.push(`error ${text}`),
    warn: (text: string) => void this.lines.push(`warn ${text}`),
    info: (text: string) => void this.lines.push(`info ${text}`),
    debug: () => {},
  };

  show(status: Status): void {
    this.statuses.push(status);
    this.#wake();
  }

  send(msg: Message, output: number): void {
    this.sent.push({ msg, output });
    this.#wake();
  }

  async next(): Promise<Message> {
    const at = this.#taken++;
    for (;;) {
      const found = this.sent[at];
      if (found) return found.msg;
      await this.#change();
    }
  }

  async shows(test: (status: Status) => boolean): Promise<Status> {
    for (;;) {
      const last = this.statuses.at(-1);
      if (last && test(last)) return last;
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    waiting.forEach((resolve) => resolve());
  }
}
