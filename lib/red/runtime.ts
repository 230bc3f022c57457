import { join } from 'node:path';
import { systemClock, type Log } from '../core';
import { localQueues } from '../queue/local';
import { createRuntime, type Runtime } from '../roles/runtime';
import type { Redactor } from '../secrets/redact';
import { guardedClock } from './guarded-clock';
import { openLocalStore } from './local-store';
import { stateStores } from './state-store';
import type { Red } from './types';

/** One per Node-RED runtime, found through an object that all its node files share. */
const runtimes = new WeakMap<object, Runtime>();

export function runtimeOf(RED: Red): Runtime {
  const directory = RED.settings.userDir ?? process.cwd();
  const known = runtimes.get(RED.events);
  // Booted again in the same process, Node-RED keeps its events but may have another user directory.
  if (known?.directory === directory) return known;
  const secret = RED.settings.credentialSecret;
  const stores = stateStores(join(directory, 'holdfast'), typeof secret === 'string' ? secret : undefined);
  const clock = guardedClock(systemClock, (text) => RED.log.error(text));
  const runtime: Runtime = createRuntime({
    clock,
    random: Math.random,
    directory,
    env: process.env,
    store: stores.store,
    queues: localQueues(() => {
      const { redactor } = runtime;
      return openLocalStore({ directory, clock, log: cleanLog(RED, redactor), redactor });
    }),
    forget: stores.forget,
  });
  runtimes.set(RED.events, runtime);
  return runtime;
}

/** Of what belongs to no node. */
function cleanLog({ log }: Red, redactor: Redactor): Log {
  return {
    error: (text) => log.error(redactor.redact(text)),
    warn: (text) => log.warn(redactor.redact(text)),
    info: (text) => log.info(redactor.redact(text)),
    debug: () => {},
  };
}
