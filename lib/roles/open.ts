/** Opening sessions: credentials, TLS, simulator, then the connector's own `open`. */
import { cancelled, Scope, type Scope as Cancel } from '../core';
import { createAuth, type ClosableAuth } from '../secrets/auth';
import { nodeReadFile } from '../secrets/read-file';
import { resolveReferences } from '../secrets/references';
import { buildTls } from '../secrets/tls';
import { nodeTokenHttp } from '../secrets/token-http';
import type { TlsOptions } from '../secrets/types';
import type { Fields } from '../spec';
import type { ConnectorDeclaration, Simulator } from './declare';
import { allFields } from './framework-fields';
import type { Host, Runtime } from './runtime';
import { ownSettings, type Settings } from './settings';

export interface Opened<S> {
  readonly session: S;
  /** Ends with the session. */
  readonly scope: Cancel;
  close(): Promise<void>;
}

interface Means {
  readonly auth: ClosableAuth;
  readonly tls: TlsOptions | undefined;
  readonly warnings: readonly string[];
  readonly settings: Settings;
  readonly secrets: readonly string[];
}

const SIMULATOR_SEED = 1;

/** Keeps what outlives a session (tokens, the simulator) between two openings. */
export class Opener<S> {
  readonly #declaration: ConnectorDeclaration;
  readonly #settings: Settings;
  readonly #host: Host;
  readonly #runtime: Runtime;
  #means: Means | undefined;
  #simulator: Promise<Simulator> | undefined;

  constructor(declaration: ConnectorDeclaration, settings: Settings, host: Host, runtime: Runtime) {
    this.#declaration = declaration;
    this.#settings = settings;
    this.#host = host;
    this.#runtime = runtime;
  }

  async open(opening: Scope, lost: (error: unknown) => void): Promise<Opened<S>> {
    const declaration = this.#declaration;
    const { id, name, log } = this.#host;
    const { clock, directory } = this.#runtime;
    const simulated = this.#settings.simulate === true;
    const means = this.#means ?? (this.#means = await this.#prepare());
    opening.throwIfAborted();
    const own = ownSettings(declaration.fields, means.settings);
    const config = simulated ? declaration.simulator.apply(own, await this.#startSimulator()) : own;
    const scope = new Scope();
    try {
      const session = (await declaration.open({
        auth: means.auth,
        tls: means.tls,
        config,
        id,
        name,
        simulated,
        directory,
        scope: opening,
        log,
        clock,
        lost,
      })) as S;
      return {
        session,
        scope,
        close: () => {
          scope.abort(cancelled('The session was closed.'));
          return declaration.close(session);
        },
      };
    } catch (error) {
      // Read files and variables anew next time: a secret may have been replaced.
      void this.#forget();
      throw error;
    }
  }

  /** Resolves references, checks certificates, makes credentials; teaches the redactor every secret. */
  async #prepare(): Promise<Means> {
    const { clock, random, env, redactor, store, directory } = this.#runtime;
    const { id, log } = this.#host;
    const fields = allFields(this.#declaration);
    const settings = await resolveReferences(this.#settings, { env, readFile: nodeReadFile, fields });
    const secrets = secretValues(fields, settings);
    for (const secret of secrets) redactor.add(secret);
    try {
      const built = this.#declaration.tls ? await buildTls(settings, { clock, directory }) : undefined;
      for (const warning of built?.warnings ?? []) log.warn(warning);
      const auth = createAuth(this.#declaration.auth ? settings : {}, {
        clock,
        random,
        store: store(id, true),
        http: nodeTokenHttp(built?.tls),
        log,
        redact: redactor,
      });
      return { auth, tls: built?.tls, warnings: built?.warnings ?? [], settings, secrets };
    } catch (error) {
      for (const secret of secrets) redactor.remove(secret);
      throw error;
    }
  }

  /** Sentences that stand while the connection lives, such as an unchecked certificate. */
  get warnings(): readonly string[] {
    return this.#means?.warnings ?? [];
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

  #forget(): Promise<void> {
    const means = this.#means;
    this.#means = undefined;
    if (!means) return Promise.resolve();
    means.auth.close();
    for (const secret of means.secrets) this.#runtime.redactor.remove(secret);
    return means.auth.settled();
  }

  async close(): Promise<void> {
    const settled = this.#forget();
    const simulator = await this.#simulator?.catch(() => undefined);
    await Promise.all([settled, simulator?.close()]);
  }
}

function secretValues(fields: Fields, settings: Settings): string[] {
  return Object.entries(fields)
    .filter(([, field]) => field.kind === 'secret')
    .map(([name]) => settings[name])
    .filter((value): value is string => typeof value === 'string' && value !== '');
}
