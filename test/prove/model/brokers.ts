/** NATS and RabbitMQ as the model knows them. */
import { Scope, silentLog } from '../../../lib/core';
import { startNatsServer } from '../../helpers/nats-server';
import { RabbitServer } from '../../helpers/rabbit-server';
import type { Abilities } from './generate';
import type { Broker } from './shared-bed';

const COMMON = {
  killEvery: 12,
  crashRate: 0.03,
  delays: [0, 0, 0, 60],
  keys: false,
  restart: false,
  maxBytes: false,
  age: false,
} as const;
const NATS: Abilities = {
  ...COMMON,
  duplicates: true,
  crashes: ['connection'],
  whenFull: ['reject', 'dropOldest', 'dropNewest'],
  numbers: true,
};
/** It turns what drops into dead letters, and names no single one. */
const RABBIT: Abilities = {
  ...COMMON,
  duplicates: false,
  crashes: ['connection'],
  whenFull: ['reject', 'dropNewest'],
  numbers: false,
};
/** How long NATS waits for a gateway that is gone; short, because every crash costs it. */
const HOLD_MS = 5_000;

export const nats: Broker = {
  able: NATS,
  renewAfter: 4,
  manners: {
    closeCounts: false,
    countsLag: false,
    keepsPlace: true,
    missesDeliveries: true,
    forgetsCounts: true,
    replayForgets: false,
    limitIsSoft: false,
    serverDelays: true,
    keepsHistory: true,
  },
  // A shorter window would need real time to pass.
  fit: (options) => ({ ...options, duplicateWindowMs: options.duplicateWindowMs > 0 ? 120_000 : 0 }),
  async start() {
    const server = await startNatsServer();
    const killed = async (): Promise<void> => {
      await server.kill();
      await server.start();
    };
    return { port: server.port, killed, dispose: () => server.destroy() };
  },
  async open(port, clock) {
    const { openNatsStore } = await import('../../../lib/queue/nats/store.js');
    return openNatsStore({
      servers: [`127.0.0.1:${port}`],
      clock,
      log: silentLog,
      name: 'model',
      lost: () => {},
      openTimeoutMs: 10_000,
      scope: new Scope(),
      replicas: 1,
      holdMs: HOLD_MS,
      requestTimeoutMs: 30_000,
    });
  },
};

export const rabbit: Broker = {
  able: RABBIT,
  renewAfter: 1000,
  manners: {
    closeCounts: true,
    countsLag: true,
    keepsPlace: false,
    missesDeliveries: false,
    forgetsCounts: false,
    replayForgets: false,
    limitIsSoft: true,
    serverDelays: false,
    keepsHistory: false,
  },
  fit: (options) => options,
  async start() {
    const server = await RabbitServer.start();
    const killed = async (): Promise<void> => {
      await server.kill();
      await server.restart();
    };
    return { port: server.port, killed, dispose: () => server.dispose() };
  },
  async open(port, clock) {
    const { openRabbitStore } = await import('../../../lib/queue/rabbitmq/store.js');
    return openRabbitStore({
      host: '127.0.0.1',
      port,
      virtualHost: '/',
      user: 'guest',
      password: 'guest',
      heartbeatSeconds: 0,
      clock,
      log: silentLog,
      name: 'model',
      scope: new Scope(),
      openTimeoutMs: 30_000,
      requestTimeoutMs: 120_000,
      lost: () => {},
    });
  },
};
