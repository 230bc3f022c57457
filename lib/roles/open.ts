/** Opening sessions: means, simulator, then the connector's own `open`. */
import { cancelled, Scope, type Failure } from '../core';
import type { ConnectorDeclaration, Simulator } from './declare';
import { prepareMeans, resolved, type Means } from './means';
import type { Host, Runtime } from './runtime';
import { ownSettings, type Settings } from './settings';

export interface Opened<S> {
  readonly session: S;
  /** Ends with the session. */
  readonly scope: Scope;
  close(): Promise<void>;
}

const SIMULATOR_SEED = 1;

/** Keeps what outlives a session (tokens, the simulator) between two openings. */
export class Opener<S> {
  readonly #declaration: ConnectorDeclaration;
  readonly #settings: Settings;
  readonly #host: Host;
  readonly #runtime: Runtime;
  readonly #name: (error: unknown) => Failure;
  #means: Means | undefined;
  #preparing: Promise<Means> | undefined;
  #stale = false;
  #simulator: Promise<Simulator> | undefined;

  constructor(
    declaration: ConnectorDeclaration,
    settings: Settings,
    host: Host,
    runtime: Runtime,
    name: (error: unknown) => Failure,
  ) {
    this.#declaration = declaration;
    this.#settings = settings;
    this.#host = host;
    this.#runtime = runtime;
    this.#name = name;
  }

  async open(opening: Scope, lost: (error: unknown) => void): Promise<Opened<S>> {
    const declaration = this.#declaration;
    const { id, name, log, source } = this.#host;
    const { clock, directory, queues } = this.#runtime;
    const simulated = this.#settings.simulate === true;
    const means = await this.#ready();
    opening.throwIfAborted();
    const own = ownSettings(declaration.fields, means.settings);
    const config = simulated ? declaration.simulator.apply(own, await this.#startSimulator()) : own;
    opening.throwIfAborted();
    const scope = new Scope();
    const { auth, tls } = means;
    const place = { auth, tls, config, id, name, source, simulated, directory, queues };
    const context = { ...place, scope: opening, log, clock, lost };
    try {
      const session = (await declaration.open(context)) as S;
      return {
        session,
        scope,
        close: () => {
          scope.abort(cancelled('The session was closed.'));
          return declaration.close(session);
        },
      };
    } catch (error) {
      const failure = this.#name(error);
      // A secret or certificate may have been replaced: files and variables are read anew next time.
      this.#stale = failure.kind === 'auth' || failure.kind === 'config';
      throw failure;
    }
  }

  /** Sentences that stand while the connection lives, such as an unchecked certificate. */
  get warnings(): readonly string[] {
    return this.#means?.warnings ?? [];
  }

  /** The peer refused the credentials: the next opening reads files and variables anew. */
  doubt(): void {
    this.#stale = true;
  }

  /** Whether files or variables hold something else by now. */
  async replaced(): Promise<boolean> {
    const means = this.#means;
    if (!means || this.#settings.simulate === true) return false;
    const fresh = await resolved(this.#declaration, this.#settings, this.#runtime);
    return JSON.stringify(fresh) !== JSON.stringify(means.settings);
  }

  #ready(): Promise<Means> {
    const old = this.#means;
    if (old && !this.#stale) return Promise.resolve(old);
    // One at a time: an opening that was given up may still be preparing.
    this.#preparing ??= this.#prepare(old).finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  async #prepare(old: Means | undefined): Promise<Means> {
    old?.auth.close();
    // A refresh under way must store its rotated token before the next credentials read it.
    await old?.auth.settled();
    this.#means = await prepareMeans(this.#declaration, this.#settings, this.#host, this.#runtime);
    this.#stale = false;
    // Only now: until here an error of the last opening could still be on its way to the log.
    old?.forgetSecrets();
    return this.#means;
  }

  #startSimulator(): Promise<Simulator> {
    this.#simulator ??= this.#declaration.simulator
      .load()
      .then((module) => module.start({ port: 0, seed: SIMULATOR_SEED, clock: this.#runtime.clock }))
      .catch((error: unknown) => {
        this.#simulator = undefined;
        throw error;
      });
    return this.#simulator;
  }

  async close(): Promise<void> {
    await this.#preparing?.catch(() => undefined);
    const means = this.#means;
    this.#means = undefined;
    means?.auth.close();
    try {
      await Promise.all([means?.auth.settled(), this.#stopSimulator()]);
    } finally {
      means?.forgetSecrets();
    }
  }

  async #stopSimulator(): Promise<void> {
    const starting = this.#simulator;
    this.#simulator = undefined;
    const simulator = await starting?.catch(() => undefined);
    await simulator?.close();
  }
}
