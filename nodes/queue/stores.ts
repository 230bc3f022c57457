/** Opens the store that the settings choose, and in it the one queue. */
import { Failure } from '../../lib/core';
import type { Cluster } from '../../lib/queue/cluster';
import type { QueueOptions, QueueStore } from '../../lib/queue';
import type { OpenContext } from '../../lib/roles';
import { optionsFor } from './options';
import { fillSlowly } from './refill';
import { QueueSession } from './session';
import type { fields } from './connection-fields';

export type Context = OpenContext<typeof fields>;

/** A store that several gateways share may let them agree. */
type Store = QueueStore & { readonly cluster?: Cluster };

interface Opened {
  readonly store: Store;
  close(): Promise<void>;
}

/** Throws what the store throws, and leaves nothing open then. */
export async function openSession(ctx: Context): Promise<QueueSession> {
  const name = ctx.simulated && ctx.config.queue === '' ? 'simulated' : ctx.config.queue;
  const options = optionsFor(ctx.config, ctx.source);
  const opened = await openStore(ctx);
  try {
    ctx.scope.throwIfAborted();
    return await openQueue(ctx, opened, name, options);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openQueue(
  ctx: Context,
  { store, close }: Opened,
  name: string,
  options: QueueOptions,
): Promise<QueueSession> {
  if (options.duplicateWindowMs > 0 && !store.capabilities.duplicates) {
    throw new Failure(
      'config',
      'BAD_CONFIG',
      'This store does not recognise duplicates. Set "Duplicate window" to zero, or choose another store.',
      { reached: false },
    );
  }
  const queue = await store.open(name, options);
  const stopFilling = ctx.simulated ? fillSlowly(queue, ctx.clock) : (): void => {};
  return new QueueSession(queue, store, async () => {
    stopFilling();
    await queue.close();
    await close();
  });
}

async function openStore(ctx: Context): Promise<Opened> {
  switch (ctx.config.store) {
    case 'file': {
      const { store, release } = await ctx.queues.use();
      return { store, close: release };
    }
    case 'memory':
      return own(openMemory(ctx));
    case 'nats':
      return own(await brokers().openNats(ctx));
    case 'rabbitmq':
      return own(await brokers().openRabbit(ctx));
  }
}

function own(store: Store): Opened {
  return { store, close: () => store.close() };
}

function openMemory({ clock }: Context): Store {
  const { openMemoryStore } =
    require('../../lib/queue/memory/store') as typeof import('../../lib/queue/memory/store');
  const { memoryCluster } =
    require('../../lib/queue/memory-cluster') as typeof import('../../lib/queue/memory-cluster');
  return Object.assign(openMemoryStore({ clock }), { cluster: memoryCluster(clock) });
}

function brokers(): typeof import('./brokers') {
  return require('./brokers') as typeof import('./brokers');
}
