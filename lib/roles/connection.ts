/**
 * One remote system: its session, its policies, its health. All nodes that name the same connection node share
 * it, so that a breaker or rate limit protects the peer and not a single node.
 */
import { Failure, Scope, toFailure, type Call, type Clock, type Effect } from '../core';
import type { Meter } from '../observe/meter';
import type { Attempt } from '../policy/attempt';
import type { ResultCache } from '../policy/cache';
import { Pipeline } from '../policy/pipeline';
import type { RetryOptions } from '../policy/retry';
import type { PolicyListener } from '../policy/events';
import { coordinatorOf } from './coordinator';
import type { ConnectorDeclaration } from './declare';
import type { ConnectionSettings } from './framework-fields';
import { ErrorNames } from './error-names';
import { Link, type LinkView } from './link';
import { linkListener } from './link-listener';
import { linkStatus } from './link-status';
import { Opener, type Opened } from './open';
import { Outages } from './outages';
import type { Host, Runtime } from './runtime';
import type { Settings } from './settings';
import { SharedBreaker } from './shared-breaker';
import { sharedPolicies } from './shared-policies';
import type { Status } from './status';
import { Watchdog } from './watchdog';
import { within } from './within';

/** One call of one node. */
export interface Operation<S, T> {
  readonly effect: Effect;
  readonly timeoutMs: number;
  readonly retry: RetryOptions;
  readonly key: string;
  readonly scope: Scope;
  readonly listener?: PolicyListener;
  readonly cache?: { readonly store: ResultCache; readonly key: string };
  readonly call: (session: S, call: Call) => Promise<T>;
}

const BRAND = Symbol.for('holdfast.connection');
const NO_RETRY: RetryOptions = { strategy: 'none', attempts: 1, baseMs: 0, maxMs: 0 };
/** How long close waits for nodes that are still finishing calls. */
const DRAIN_MS = 8000;
/** And how long it takes in all: Node-RED waits 15 s. */
const CLOSE_MS = 13_000;
/** After refusals, files with secrets are looked at no more often than this. */
const RECHECK_MS = 1000;

export class Connection<S = unknown> {
  readonly [BRAND] = true;
  readonly id: string;
  readonly name: string;
  readonly declaration: ConnectorDeclaration;
  readonly simulated: boolean;
  /** How many calls may wait. */
  readonly queueLength: number;
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #runtime: Runtime;
  readonly #pipeline: Pipeline;
  readonly #link: Link<Opened<S>>;
  readonly #opener: Opener<S>;
  readonly #watchdog: Watchdog;
  readonly #health: ReturnType<Runtime['board']['track']>;
  readonly #meter: Meter;
  readonly #names: ErrorNames;
  readonly #openTimeoutMs: number;
  readonly #listeners = new Set<() => void>();
  readonly #users = new Set<object>();
  readonly #off: () => void;
  #sharing: (() => Promise<void>) | undefined;
  #outages: Outages | undefined;
  #outage = '';
  #recheckAt = 0;
  #drained: (() => void) | undefined;

  constructor(
    declaration: ConnectorDeclaration,
    settings: Settings,
    host: Host,
    runtime: Runtime,
    coordinator?: Connection,
  ) {
    const policy = settings as unknown as ConnectionSettings;
    this.declaration = declaration;
    this.id = host.id;
    this.name = host.name;
    this.simulated = policy.simulate;
    this.queueLength = policy.queueLength;
    this.#host = host;
    this.#runtime = runtime;
    this.#clock = runtime.clock;
    this.#openTimeoutMs = policy.openTimeout;
    this.#health = runtime.board.track({
      id: host.id,
      name: host.name,
      type: declaration.type,
      simulated: policy.simulate,
    });
    this.#names = new ErrorNames(declaration, host.name, (stack) =>
      host.log.error(runtime.redactor.redact(`An error that Holdfast does not know: ${stack}`)),
    );
    this.#meter = runtime.metrics.connection(host.id, host.name, declaration.type);
    this.#pipeline = this.#createPipeline(policy);
    this.#opener = new Opener<S>(declaration, settings, host, runtime, (error) => this.nameError(error));
    this.#link = new Link<Opened<S>>({
      open: (scope, lost) => this.#open(scope, lost),
      close: (opened) => opened.close(),
      name: (error) => this.nameError(error),
      clock: runtime.clock,
      random: runtime.random,
      openTimeoutMs: policy.openTimeout,
      reopenMaxMs: policy.reopenMax,
      onChange: (view) => this.#linkChanged(view),
      peer: `"${host.name}"`,
    });
    this.#off = runtime.board.onChange((report) => {
      if (report.id === this.id) this.#notify();
    });
    this.#watchdog = new Watchdog(runtime.clock, policy.pingEvery, () => this.#ping());
    if (coordinator) this.#shareBreaker(coordinator);
    if (policy.simulate) this.#playOutages(policy);
  }

  #createPipeline(policy: ConnectionSettings): Pipeline {
    const { clock, random, wheel } = this.#runtime;
    const listener = linkListener({
      meter: this.#meter,
      health: this.#health,
      alive: (now) => this.#watchdog.alive(now),
      notify: () => this.#notify(),
    });
    return new Pipeline({ clock, random, wheel, listener, name: `"${this.name}"` }, sharedPolicies(policy));
  }

  async #open(scope: Scope, lost: (error: unknown) => void): Promise<Opened<S>> {
    if (this.#outages?.now) throw this.#outages.now;
    const opened = await this.#opener.open(scope, lost);
    // It may have begun meanwhile.
    const outage = this.#outages?.now;
    if (!outage) return opened;
    await opened.close();
    throw outage;
  }

  #playOutages({ outageEvery, outageFor }: ConnectionSettings): void {
    const plan = { everyMs: outageEvery, lastsMs: outageFor };
    this.#outages = new Outages(this.#clock, plan, this.name, (failure) => {
      const opened = this.#link.current?.value;
      if (opened) this.#link.lost(opened, failure);
    });
  }

  #shareBreaker(coordinator: Connection): void {
    const { breaker } = this.#pipeline;
    if (!breaker) return;
    const { id, name, log } = this.#host;
    const through = coordinatorOf(coordinator, new Scope());
    const self = `${id}-${Math.floor(this.#runtime.random() * 2 ** 40).toString(36)}`;
    const shared = new SharedBreaker(breaker, through, `breaker ${this.declaration.type} ${name}`, self, log);
    const detach = coordinator.attach(this, () => {});
    this.#sharing = async () => {
      await shared.close();
      detach();
    };
  }

  /** A node starts to use the connection; the first one opens the session. */
  attach(user: object, onChange: () => void): () => void {
    this.#users.add(user);
    this.#listeners.add(onChange);
    this.#link.start();
    return () => {
      this.#users.delete(user);
      this.#listeners.delete(onChange);
      if (this.#users.size === 0) this.#drained?.();
    };
  }

  /** Runs `fn` on every opened session, now and later. For triggers that subscribe. */
  onSession(fn: (session: S) => () => void | Promise<void>): () => Promise<void> {
    let current: Opened<S> | undefined;
    let end: (() => void | Promise<void>) | undefined;
    const finish = async (): Promise<void> => {
      const last = end;
      end = undefined;
      try {
        await last?.();
      } catch (error) {
        this.#host.log.warn(this.nameError(error).message);
      }
    };
    const look = (): void => {
      const next = this.#link.current?.value;
      if (next === current) return;
      current = next;
      void finish();
      end = next ? fn(next.session) : undefined;
    };
    this.#listeners.add(look);
    look();
    return () => {
      this.#listeners.delete(look);
      current = undefined;
      return finish();
    };
  }

  /** The open session, if there is one. */
  get current(): S | undefined {
    return this.#link.current?.value.session;
  }

  run<T>(operation: Operation<S, T>): Promise<T> {
    const attempt = (call: Attempt): Promise<T> => {
      const opened = this.#link.current;
      return opened ? this.#attempt(opened.value, operation, call) : this.#attemptLater(operation, call);
    };
    return this.#pipeline.run(attempt, operation);
  }

  async #attemptLater<T>(operation: Operation<S, T>, call: Attempt): Promise<T> {
    // Nothing is sent before there is a session: a timeout until then has a known outcome.
    call.reached = false;
    const opened = await this.#link.session(call.scope);
    call.reached = true;
    return this.#attempt(opened, operation, call);
  }

  async #attempt<T>(opened: Opened<S>, operation: Operation<S, T>, call: Call): Promise<T> {
    try {
      return await operation.call(opened.session, call);
    } catch (error) {
      const failure = this.nameError(error);
      if (failure.kind === 'disconnected') this.#link.lost(opened, failure);
      if (failure.kind === 'auth') this.#recheck(opened);
      throw failure;
    }
  }

  /** What a node met outside of a call (in a later part of a result, in a joined call) ends a dead session too. */
  met(session: S, error: unknown): Failure {
    const failure = this.nameError(error);
    const opened = this.#link.current?.value;
    if (failure.kind === 'disconnected' && opened?.session === session) this.#link.lost(opened, failure);
    return failure;
  }

  /** A refusal can mean that a secret was replaced in its file: then a new session takes the new one. */
  #recheck(opened: Opened<S>): void {
    const now = this.#clock.mono();
    if (now < this.#recheckAt) return;
    this.#recheckAt = now + RECHECK_MS;
    this.#opener.replaced().then(
      (replaced) => {
        if (!replaced) return;
        this.#opener.doubt();
        const sentence = `The credentials of "${this.name}" were replaced; it is opened again with the new ones.`;
        this.#link.lost(opened, new Failure('disconnected', 'CONNECTION_LOST', sentence));
      },
      () => {
        // Unreadable at this moment: the session that there is stays.
      },
    );
  }

  /** Any error as a Failure. An unknown one is logged with its stack. */
  nameError(error: unknown): Failure {
    return this.#names.of(error);
  }

  async #ping(): Promise<void> {
    const opened = this.#link.current?.value;
    const ping = this.declaration.ping?.bind(this.declaration);
    if (!opened || !ping) return;
    try {
      await this.#pipeline.run((call) => this.#namedPing(() => ping(opened.session, call)), {
        effect: 'safe',
        timeoutMs: this.#openTimeoutMs,
        retry: NO_RETRY,
        scope: opened.scope,
        key: 'ping',
      });
    } catch (error) {
      const failure = this.nameError(error);
      if (failure.kind === 'auth') this.#opener.doubt();
      if (failure.kind === 'disconnected' || failure.code === 'CALL_TIMEOUT' || failure.kind === 'auth') {
        this.#link.lost(opened, failure);
      }
    }
  }

  async #namedPing(ping: () => Promise<void>): Promise<void> {
    try {
      await ping();
    } catch (error) {
      throw this.nameError(error);
    }
  }

  #linkChanged(view: LinkView): void {
    if (view.state === 'open') {
      this.#watchdog.start();
      if (this.#outage !== '') this.#host.log.info('The connection is open again.');
      this.#outage = '';
      this.#health.warning(this.#opener.warnings[0]);
      this.#health.state('unknown', 'The connection is ready; the peer has not answered yet.');
      // An open session of a protocol without a handshake proves nothing yet: ask at once.
      void this.#ping();
    } else {
      this.#watchdog.stop();
      if (view.failure) {
        this.#health.failure(view.failure);
        this.#health.state('unhealthy', view.failure.message);
        if (view.state === 'waiting') this.#logOutage(view.failure);
      }
    }
    this.#notify();
  }

  /** An outage is logged when it begins and when its reason changes, not at every attempt to reconnect. */
  #logOutage(failure: Failure): void {
    if (failure.code === this.#outage) return;
    this.#outage = failure.code;
    this.#host.log.warn(failure.message);
    // Someone has to act, and perhaps no message comes by that would say so.
    if (failure.kind === 'auth' || failure.kind === 'config') this.#host.fail(failure, true);
  }

  status(): Status {
    return linkStatus({
      view: this.#link.view,
      health: this.#health.report(),
      breaker: this.#pipeline.breaker?.state ?? 'closed',
      warned: this.#opener.warnings.length > 0,
    });
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        // Reports about a session come from timers and sockets: nothing may pass through.
        this.#host.log.error(`A node could not follow its connection: ${toFailure(error).message}`);
      }
    }
  }

  /** Waits for the nodes to finish, then closes session, policies and health entry. */
  async close(): Promise<void> {
    const end = this.#clock.mono() + CLOSE_MS;
    if (this.#users.size > 0) await this.#drain();
    this.#watchdog.stop();
    this.#outages?.close();
    await this.#sharing?.();
    this.#pipeline.close();
    try {
      await this.#link.close();
      await within(this.#clock, end - this.#clock.mono(), this.#opener.close());
    } finally {
      this.#off();
      this.#health.remove();
      this.#runtime.metrics.remove(this.id);
      this.#listeners.clear();
    }
  }

  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.timer(DRAIN_MS, resolve);
      this.#drained = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

export function isConnection(value: unknown): value is Connection {
  return typeof value === 'object' && value !== null && BRAND in value;
}
