/** OAuth2 credentials at a token server, with a virtual clock; closing it checks that nothing is left or leaked. */
import assert from 'node:assert/strict';
import { settle, VirtualClock } from './virtual-clock';
import { isFailure, Scope, type Failure, type Log, type StateStore } from '../../lib/core';
import { createAuth, type ClosableAuth } from '../../lib/secrets/auth';
import { Redactor } from '../../lib/secrets/redact';
import { nodeTokenHttp, type TokenHttp } from '../../lib/secrets/token-http';
import { startTokenServer, type ServerOptions, type TokenServer } from './token-server';

export const CANARY = 'canary-7f3a9b/+ "x';

class MemoryStore implements StateStore {
  value: unknown;
  saves = 0;
  fail = false;
  load = (): Promise<unknown> => Promise.resolve(this.value);
  save = (value: unknown): Promise<void> => {
    if (this.fail) return Promise.reject(new Error('disk full'));
    this.saves += 1;
    this.value = structuredClone(value);
    return Promise.resolve();
  };
}

export class Bench {
  readonly clock = new VirtualClock();
  readonly redact = new Redactor();
  readonly store = new MemoryStore();
  readonly lines: string[] = [];
  readonly #auths: ClosableAuth[] = [];

  constructor(readonly server: TokenServer) {}

  auth(settings: Record<string, unknown> = {}, http: TokenHttp = nodeTokenHttp()): ClosableAuth {
    const keep = (text: string): void => void this.lines.push(text);
    const log: Log = { error: keep, warn: keep, info: keep, debug: keep };
    const values = {
      authKind: 'oauth2',
      oauthGrant: 'client_credentials',
      tokenUrl: this.server.url,
      clientId: 'gateway',
      clientSecret: CANARY,
      clientAuth: 'basic',
      refreshAhead: 60_000,
      ...settings,
    };
    const deps = { clock: this.clock, random: () => 0.5, store: this.store, http, log, redact: this.redact };
    const auth = createAuth(values, deps);
    this.#auths.push(auth);
    return auth;
  }

  async close(): Promise<void> {
    for (const auth of this.#auths) {
      auth.close();
      await auth.settled();
    }
    await settle();
    await this.server.close();
    assert.equal(this.redact.size, 0, 'every secret is forgotten on close');
    assert.equal(this.clock.pending, 0, 'no timer is left');
    assert.ok(!this.lines.join('\n').includes(CANARY), 'no secret in the log');
  }
}

export async function bench(
  run: (bench: Bench) => Promise<void>,
  options: ServerOptions = {},
): Promise<void> {
  const set = new Bench(await startTokenServer({ clientId: 'gateway', clientSecret: CANARY, ...options }));
  try {
    await run(set);
  } finally {
    await set.close();
  }
}

export const bearer = async (auth: ClosableAuth): Promise<string | undefined> =>
  (await auth.parts(new Scope())).headers.authorization;

export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(isFailure(error), String(error));
  const all = [
    error.message,
    JSON.stringify(error.toRecord()),
    String(error.stack),
    String(error.cause),
  ].join('\n');
  assert.ok(!all.includes('canary-7f3a9b'), 'no secret in the failure');
  return error;
}
