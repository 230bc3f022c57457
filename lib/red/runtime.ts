import { join } from 'node:path';
import { systemClock } from '../core';
import { localQueues } from '../queue/local';
import { createRuntime, type Runtime } from '../roles/runtime';
import { guardedClock } from './guarded-clock';
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
  const runtime = createRuntime({
    clock: guardedClock(systemClock, (text) => RED.log.error(text)),
    random: Math.random,
    directory,
    env: process.env,
    store: stores.store,
    queues: localQueues(() => Promise.reject(new Error('The local store is not built yet.'))),
    forget: stores.forget,
  });
  runtimes.set(RED.events, runtime);
  return runtime;
}
