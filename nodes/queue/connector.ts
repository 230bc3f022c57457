import { defineConnector } from '../../lib/roles';
import { Failure } from '../../lib/core';
import { classifyNats } from '../../lib/queue/nats/classify';
import { classifyRabbit } from '../../lib/queue/rabbitmq/errors';
import { brokers, fields } from './connection-fields';
import type { QueueSession } from './session';

// Nodes in other folders that settle deliveries see the queue through its connector only.
export { tokensOf } from './facts';
export type { QueueSession } from './session';
export { settledResult, settlingFields } from './settling';

export const connector = defineConnector({
  type: 'holdfast-queue-connection',
  version: 1,
  label: 'queue',
  summary: 'One durable queue: in a local file, on NATS JetStream or RabbitMQ, or in memory.',
  fields,
  auth: ['none', 'basic', 'bearer', 'certificate'],
  tls: true,
  remoteWhen: brokers,
  coordinates: true,
  // Many puts share one write to the disk, so they must be under way together.
  defaults: { concurrency: 1000, queue: 10_000, pingEvery: '30s' },

  open(ctx): Promise<QueueSession> {
    const { openSession } = require('./stores') as typeof import('./stores');
    return openSession(ctx);
  },
  close: (session) => session.close(),
  async ping({ queue, trouble }) {
    if (trouble !== undefined) {
      throw new Failure('transient', 'QUEUE_UNAVAILABLE', trouble, { reached: false, partial: true });
    }
    await queue.stats();
  },
  classify(error) {
    const failure = classifyNats(error);
    return failure.kind === 'unclassified' ? classifyRabbit(error) : failure;
  },
  simulator: {
    load: () => Promise.resolve(require('./simulator') as typeof import('./simulator')),
    apply: (config) => ({ ...config, store: 'memory' }),
  },
});
