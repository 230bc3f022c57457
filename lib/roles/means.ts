/** What a connection needs besides its settings: resolved references, certificates, credentials. */
import { createAuth, type ClosableAuth } from '../secrets/auth';
import { nodeReadFile } from '../secrets/read-file';
import { resolveReferences } from '../secrets/references';
import { buildTls } from '../secrets/tls';
import { nodeTokenHttp } from '../secrets/token-http';
import type { TlsOptions } from '../secrets/types';
import type { Fields } from '../spec';
import type { ConnectorDeclaration } from './declare';
import { allFields } from './framework-fields';
import type { Host, Runtime } from './runtime';
import type { Settings } from './settings';

export interface Means {
  readonly auth: ClosableAuth;
  readonly tls: TlsOptions | undefined;
  /** Sentences that stand while the connection lives, such as an unchecked certificate. */
  readonly warnings: readonly string[];
  readonly settings: Settings;
  /** Takes the secrets out of the redactor again. */
  readonly forgetSecrets: () => void;
}

/** Teaches the redactor every secret before anything that could repeat one is called. */
export async function prepareMeans(
  declaration: ConnectorDeclaration,
  raw: Settings,
  host: Host,
  runtime: Runtime,
): Promise<Means> {
  const { clock, redactor, directory } = runtime;
  const fields = allFields(declaration);
  // A simulator needs no credentials, so a missing secret must not keep an example from running.
  const simulated = raw.simulate === true;
  const settings = simulated ? raw : await resolved(declaration, raw, runtime);
  const secrets = secretValues(fields, settings);
  for (const secret of secrets) redactor.add(secret);
  const forgetSecrets = (): void => {
    for (const secret of secrets.splice(0)) redactor.remove(secret);
  };
  try {
    const built = declaration.tls && !simulated ? await buildTls(settings, { clock, directory }) : undefined;
    for (const warning of built?.warnings ?? []) host.log.warn(warning);
    const auth = makeAuth(declaration.auth && !simulated ? settings : {}, built?.tls, host, runtime);
    return { auth, tls: built?.tls, warnings: built?.warnings ?? [], settings, forgetSecrets };
  } catch (error) {
    forgetSecrets();
    throw error;
  }
}

/** The settings with the present content of the files and variables that they refer to. */
export function resolved(
  declaration: ConnectorDeclaration,
  raw: Settings,
  runtime: Runtime,
): Promise<Settings> {
  const { env } = runtime;
  return resolveReferences(raw, { env, readFile: nodeReadFile, fields: allFields(declaration) });
}

function makeAuth(
  settings: Settings,
  tls: TlsOptions | undefined,
  host: Host,
  { clock, random, redactor, store }: Runtime,
): ClosableAuth {
  return createAuth(settings, {
    clock,
    random,
    store: store(host.id, true),
    http: nodeTokenHttp(tls && forTokens(tls)),
    log: host.log,
    redact: redactor,
  });
}

/** The token endpoint may be another host: it shares authorities and certificate, not the expected name. */
function forTokens({ servername: _name, ...shared }: TlsOptions): TlsOptions {
  return shared;
}

function secretValues(fields: Fields, settings: Settings): string[] {
  return Object.entries(fields)
    .filter(([, field]) => field.kind === 'secret')
    .map(([name]) => settings[name])
    .filter((value): value is string => typeof value === 'string' && value !== '');
}
