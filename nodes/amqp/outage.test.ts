/** A RabbitMQ node of the test's own: killed and restarted under load, and short of memory. */
import assert from 'node:assert/strict';
import { RabbitServer } from '../../test/helpers/rabbit-server';
import { amqpOf, Bed, queueRow, until } from './bed.test';

describe('amqp: a broker that goes away', function () {
  this.timeout(240_000);
  let server: RabbitServer;
  let bed: Bed;
  before(async () => {
    server = await RabbitServer.start();
  });
  after(() => server?.dispose());
  beforeEach(async () => {
    const { host, port } = server;
    bed = await Bed.start(() => Promise.resolve({ host, port, close: () => Promise.resolve() }));
  });
  afterEach(() => bed.close());
  const PATIENT = { retryStrategy: 'fixed', retryBase: '100ms', retryAttempts: 1000, timeout: '2s' };

  it('loses nothing that was confirmed while it is killed and restarted', async () => {
    const queue = bed.ours('queue', 'q');
    const link = bed.link({ queues: [queueRow(queue, { kind: 'quorum' })] });
    const node = bed.node({ routingKey: queue, ...PATIENT }, link);
    await node.send({ payload: -1 });
    await server.settle();
    const sent: Promise<unknown>[] = [];
    const publish = (from: number): void => {
      for (let i = from; i < from + 100; i += 1) sent.push(node.send({ payload: i }));
    };
    publish(0);
    await server.kill();
    publish(100);
    await server.restart();
    publish(200);
    await Promise.all(sent);
    const settle = bed.node({ operation: 'acknowledge' }, link);
    const { recorded } = bed.take({ queue, prefetch: 500 }, link);
    const seen = new Set<unknown>();
    const ids = new Map<unknown, unknown>();
    while (seen.size < 301) {
      const msg = await recorded.next();
      seen.add(msg.payload);
      // A repeat carries the id of the first.
      const { messageId } = amqpOf(msg)['properties'] as Record<string, unknown>;
      assert.equal(ids.get(msg.payload) ?? messageId, messageId);
      ids.set(msg.payload, messageId);
      await settle.send(msg);
    }
  });

  it('holds publishing back while it is short of memory, and goes on afterwards', async () => {
    const queue = await bed.queue('q');
    const link = bed.link({ pingEvery: '500ms' });
    const node = bed.node({ routingKey: queue, timeout: '5s' }, link);
    await node.send({ payload: 'before' });
    await server.control('set_vm_memory_high_watermark', 'absolute', '1MB');
    // The first one wakes the alarm of this connection; it may have been taken.
    const failure = await until(() =>
      node.send({ payload: 'during' }).then(
        () => undefined,
        (error: unknown) => error as { code: string },
      ),
    );
    assert.equal(failure.code, 'BROKER_BLOCKED');
    await assert.rejects(node.send({ payload: 'not sent' }), { kind: 'throttled', code: 'BROKER_BLOCKED' });
    await server.control('set_vm_memory_high_watermark', '0.4');
    await bed.node({ routingKey: queue, ...PATIENT }, link).send({ payload: 'after' });
  });
});
