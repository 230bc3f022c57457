/** Opening sessions: means, simulator, then the connector's own `open`. */
import { cancelled, Scope, type Failure } from '../core';
import type { ConnectorDeclaration, Simulator } from './declare';
import { prepareMeans, type Means } from './means';
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
    const { id, name, log } = this.#host;
    const { clock, directory } = this.#runtime;
    const simulated = this.#settings.simulate === true;
    const means = await this.#ready();
    const own = ownSettings(declaration.fields, means.settings);
    const config = simulated ? declaration.simulator.apply(own, await this.#startSimulator()) : own;
    opening.throwIfAborted();
    const scope = new Scope();
    const { auth, tls } = means;
    const context = { auth, tls, config, id, name, simulated, directory, scope: opening, log, clock, lost };
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

  async #ready(): Promise<Means> {
    const old = this.#means;
    if (old && !this.#stale) return old;
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
    const means = this.#means;
    means?.auth.close();
    const simulator = await this.#simulator?.catch(() => undefined);
    await Promise.all([means?.auth.settled(), simulator?.close()]);
    means?.forgetSecrets();
  }
}
