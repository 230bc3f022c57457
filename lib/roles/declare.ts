/**
 * The declarations a component consists of. They never see Node-RED; lib/red binds them.
 * See docs/component-contract.md for what each must and should do.
 */
import type { Call, Clock, Effect, Failure, Log, Message, Random, Scope, StateStore } from '../core';
import type { CallValuesOf, Condition, Fields, Migrations, TypedValue, ValuesOf } from '../spec';
import type { HealthBoard } from '../observe/types';
import type { LocalQueues } from '../queue/local';
import type { Source } from '../queue/types';
import type { Coordinator } from './coordinator';
import type { Auth, AuthKind, TlsOptions } from '../secrets/types';

export interface Declaration<F extends Fields> {
  /** `holdfast-<name>`; never changes once published. */
  readonly type: string;
  /** Version of the settings' shape, from 1. */
  readonly version: number;
  /** `migrate[n]` turns the settings of version n into those of version n+1; each step has a fixture. */
  readonly migrate?: Migrations;
  /** Palette label: one or two lower-case words. */
  readonly label: string;
  /** One full sentence for the palette tooltip, the help and the reference. */
  readonly summary: string;
  /** Markdown below the generated property table of the help. */
  readonly details?: string;
  readonly fields: F;
  /** Additional failure codes and their meaning. */
  readonly codes?: Readonly<Record<string, string>>;
  /** File name in icons/ or in the system's own folder. Default: the role's icon. */
  readonly icon?: string;
}

// ── Connector ────────────────────────────────────────────────────────────────────────────────────────────

export interface OpenContext<F extends Fields> {
  readonly config: ValuesOf<F>;
  readonly auth: Auth;
  readonly tls: TlsOptions | undefined;
  /** The node's id and name, for client ids. */
  readonly id: string;
  readonly name: string;
  readonly simulated: boolean;
  /** Folder for files of this runtime (Node-RED's user directory), absolute. */
  readonly directory: string;
  /** The local store of durable queues. */
  readonly queues: LocalQueues;
  /** This node, as dead letters name it. */
  readonly source: Source;
  /** Ends when the opening takes too long or the connection closes. */
  readonly scope: Scope;
  readonly log: Log;
  readonly clock: Clock;
  /** The session ended by itself (socket closed): the framework reopens it. Late calls are ignored. */
  readonly lost: (error: unknown) => void;
}

/** A protocol server with seeded data that a connection talks to while *Simulate* is on. */
export interface Simulator {
  /** 127.0.0.1, always. */
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}
export interface SimulatorOptions {
  /** 0 picks a free port. */
  readonly port: number;
  readonly seed: number;
  readonly clock: Clock;
}

export interface ConnectorDeclaration<F extends Fields = Fields, S = unknown> extends Declaration<F> {
  readonly role: 'connector';
  /** Which credential kinds the form offers; the first is the default. Omitted: no credentials. */
  readonly auth?: readonly AuthKind[];
  /** Adds the TLS settings to the form. */
  readonly tls?: boolean;
  /** When credentials and TLS apply at all; a database that is a file needs neither. Default: always. */
  readonly remoteWhen?: Condition;
  /** Opens one session that all nodes of this connection share. Throws anything; `classify` names it. */
  open(ctx: OpenContext<F>): Promise<S>;
  /** Frees everything; must not throw and must not wait for the peer longer than two seconds. */
  close(session: S): Promise<void>;
  /** The cheapest request that proves the peer answers. Omitted where the protocol has none. */
  ping?(session: S, call: Call): Promise<void>;
  /** Names a library error. The only code that knows library errors; never called with a Failure. */
  classify(error: unknown): Failure;
  readonly simulator: {
    load(): Promise<{ start(options: SimulatorOptions): Promise<Simulator> }>;
    /** The settings that lead to the simulator instead of the configured peer. */
    apply(config: ValuesOf<F>, simulator: Simulator): ValuesOf<F>;
  };
  /** True: its sessions may hold a `cluster` (lib/queue/cluster.ts) through which gateways agree. */
  readonly coordinates?: true;
  /** Default policy numbers of this system. */
  readonly defaults?: ConnectionDefaults;
}
export interface ConnectionDefaults {
  /** Calls running at the same time. */
  readonly concurrency?: number;
  /** Calls waiting. */
  readonly queue?: number;
  /** Between pings while nothing else succeeds, for example "30s". */
  readonly pingEvery?: string;
}

// ── Adapter ──────────────────────────────────────────────────────────────────────────────────────────────

/** A few words for the node's status, shown while the connection is fine; `warn` turns it yellow. */
export type Note = (text: string, level?: 'good' | 'warn') => void;

export interface CallContext<F extends Fields, S, P = unknown> {
  readonly values: CallValuesOf<F>;
  readonly msg: Message;
  readonly session: S;
  /** What `prepare` returned. */
  readonly prepared: P;
  readonly call: Call;
  readonly log: Log;
  readonly clock: Clock;
  /** This node, as dead letters name it. */
  readonly source: Source;
  readonly note: Note;
}
/** Properties to set on the message that goes out; undefined sends it unchanged. */
export type Patch = Readonly<Record<string, unknown>>;
/** A result in parts. Each patch becomes one message with `msg.parts`; the last carries `msg.complete`. */
export interface Chunked {
  readonly chunks: AsyncIterable<Patch>;
  /** Wait for a message with `msg.tick` before each part after the first. */
  readonly paced: boolean;
}
export type Result = Patch | Chunked | undefined | void;
export type Outcome =
  { readonly ok: true; readonly patch: Patch } | { readonly ok: false; readonly error: unknown };

/** Joins messages into one call; each keeps its own outcome, so one bad item fails alone. */
export interface Collect<F extends Fields, S, P = unknown> {
  /** Undefined: this message goes alone, through `call`. Messages with the same key join. */
  key(values: CallValuesOf<F>, prepared: P): string | undefined;
  limits(values: CallValuesOf<F>): { readonly items: number; readonly waitMs: number };
  /** One outcome an item, in order. A throw fails (and, where allowed, repeats) the whole call. */
  call(
    items: readonly CollectItem<F>[],
    ctx: Omit<CallContext<F, S, P>, 'values' | 'msg' | 'note'>,
  ): Promise<readonly Outcome[]>;
}
export interface CollectItem<F extends Fields> {
  readonly values: CallValuesOf<F>;
  readonly msg: Message;
  readonly key: string;
}

export interface AdapterDeclaration<
  F extends Fields = Fields,
  S = unknown,
  P = unknown,
> extends Declaration<F> {
  readonly role: 'adapter';
  readonly connector: ConnectorDeclaration<Fields, S>;
  /** Labels of the outputs; one output when omitted. */
  readonly outputs?: readonly string[];
  /** Once at start, from the settings alone. A thrown Failure makes the node red. */
  prepare?(config: ValuesOf<F>): P;
  effect(values: CallValuesOf<F>, msg: Message): Effect;
  /** What provenance and logs call it: "read holding registers", "GET /orders". Never secrets or values. */
  operation(values: CallValuesOf<F>): string;
  call(ctx: CallContext<F, S, P>): Promise<Result>;
  /**
   * Everything that the answer of a `safe` call depends on; the node then offers to keep results. Undefined: this
   * call is not kept, for example because its result comes in parts.
   */
  cacheKey?(values: CallValuesOf<F>, msg: Message, prepared: P): string | undefined;
  readonly collect?: Collect<F, S, P>;
  /** False: its calls make sense only now, so store and forward and dead letters are not offered. */
  readonly forward?: false;
}

// ── Trigger ──────────────────────────────────────────────────────────────────────────────────────────────

export interface TriggerContext<F extends Fields, S, P = unknown> {
  readonly config: ValuesOf<F>;
  readonly session: S;
  readonly prepared: P;
  readonly scope: Scope;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: StateStore;
  /** The local store of durable queues. */
  readonly queues: LocalQueues;
  /** The health of all connections. */
  readonly board: HealthBoard;
  /** This node, as dead letters name it. */
  readonly source: Source;
  /** Set when the user chose to agree with other gateways. */
  readonly coordinator: Coordinator | undefined;
  /** Sends a message; `output` counts from 0. */
  readonly emit: (msg: Message, output?: number) => void;
  readonly note: Note;
}
export interface TriggerDeclaration<
  F extends Fields = Fields,
  S = unknown,
  P = unknown,
> extends Declaration<F> {
  readonly role: 'trigger';
  readonly connector?: ConnectorDeclaration<Fields, S>;
  readonly outputs?: readonly string[];
  readonly inputs?: 0 | 1;
  /** Offers to do its work on one of several gateways only; `start` then finds a `coordinator`. */
  readonly coordinated?: true;
  prepare?(config: ValuesOf<F>): P;
  /** The framework calls `read` on time, never twice at once, through the connection's policies. */
  readonly poll?: {
    everyMs(config: ValuesOf<F>): number;
    read(
      ctx: TriggerContext<F, S, P> & { readonly call: Call },
    ): Promise<Message | readonly Message[] | undefined>;
    operation(config: ValuesOf<F>): string;
  };
  /** Event sources: runs after every opening of the session; the returned function ends it. */
  start?(ctx: TriggerContext<F, S, P>): Promise<() => void | Promise<void>>;
  /** A message arrived at the trigger's input (run now, pause). */
  input?(msg: Message, ctx: TriggerContext<F, S, P>): Promise<void>;
}

// ── Mapper and monitor ───────────────────────────────────────────────────────────────────────────────────

export interface MapperDeclaration<F extends Fields = Fields> extends Declaration<F> {
  readonly role: 'mapper';
  readonly outputs?: readonly string[];
  /** Compiles the settings once. Undefined or an empty array from `map` drops the message on purpose. */
  prepare(ctx: {
    readonly config: ValuesOf<F>;
    readonly id: string;
    readonly log: Log;
    readonly clock: Clock;
    /** The local store of durable queues. */
    readonly queues: LocalQueues;
    /** This node, as dead letters name it. */
    readonly source: Source;
    /** Evaluates a typed field for a message. */
    readonly evaluate: (typed: TypedValue, msg: Message) => Promise<unknown>;
  }): Mapping;
}
/** A message for another output than the first. */
export class Routed {
  constructor(
    readonly msg: Message,
    /** Counts from 0. */
    readonly output: number,
  ) {}
}
export type Mapped = Message | Routed | readonly (Message | Routed)[] | undefined;
export interface Mapping {
  map(msg: Message): Mapped | Promise<Mapped>;
  /** Ends workers and timers. */
  close?(): Promise<void>;
}

export interface MonitorDeclaration<F extends Fields = Fields> extends Declaration<F> {
  readonly role: 'monitor';
  readonly outputs?: readonly string[];
  start(ctx: {
    readonly config: ValuesOf<F>;
    readonly board: HealthBoard;
    readonly clock: Clock;
    readonly scope: Scope;
    readonly emit: (msg: Message, output?: number) => void;
    readonly note: (text: string, level: 'good' | 'warn' | 'bad') => void;
  }): () => void;
}

export type AnyDeclaration =
  ConnectorDeclaration | AdapterDeclaration | TriggerDeclaration | MapperDeclaration | MonitorDeclaration;

export function defineConnector<const F extends Fields, S>(
  spec: Omit<ConnectorDeclaration<F, S>, 'role'>,
): ConnectorDeclaration<F, S> {
  return { role: 'connector', ...spec };
}
export function defineAdapter<const F extends Fields, S, P = undefined>(
  spec: Omit<AdapterDeclaration<F, S, P>, 'role'>,
): AdapterDeclaration<F, S, P> {
  return { role: 'adapter', ...spec };
}
export function defineTrigger<const F extends Fields, S = undefined, P = undefined>(
  spec: Omit<TriggerDeclaration<F, S, P>, 'role'>,
): TriggerDeclaration<F, S, P> {
  return { role: 'trigger', ...spec };
}
export function defineMapper<const F extends Fields>(
  spec: Omit<MapperDeclaration<F>, 'role'>,
): MapperDeclaration<F> {
  return { role: 'mapper', ...spec };
}
export function defineMonitor<const F extends Fields>(
  spec: Omit<MonitorDeclaration<F>, 'role'>,
): MonitorDeclaration<F> {
  return { role: 'monitor', ...spec };
}
