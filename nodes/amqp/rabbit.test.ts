/** What only RabbitMQ itself can show: its refusals, its limits, its comparison of declarations. */
import assert from 'node:assert/strict';
import type { Failure } from '../../lib/core';
import { isExpected } from '../../test/helpers/services';
import { amqpOf, Bed, bindingRow, exchangeRow, queueRow, until } from './bed.test';

const NOTHING = { payload: 'x' };

const tests = (): void => {
  let bed: Bed;
  beforeEach(async () => {
    bed = await Bed.start();
  });
  afterEach(() => bed.close());

  const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
    const [outcome] = await Promise.allSettled([work]);
    assert.equal(outcome.status, 'rejected');
    return outcome.reason as Failure;
  };

  it('fails a message that a full queue refuses, and only that one', async () => {
    const queue = await bed.queue('q', { arguments: { 'x-max-length': 3, 'x-overflow': 'reject-publish' } });
    const node = bed.node({ routingKey: queue });
    const outcomes: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      await node.send({ payload: i }).then(
        () => outcomes.push('confirmed'),
        (error: unknown) => outcomes.push(`${(error as Failure).kind} ${(error as Failure).code}`),
      );
    }
    const refused = 'transient PEER_ERROR';
    assert.deepEqual(outcomes, ['confirmed', 'confirmed', 'confirmed', refused, refused]);
  });

  it('names an exchange that takes messages only from other exchanges', async () => {
    const exchange = await bed.exchange('x', 'topic', undefined, '#', { internal: true });
    const failure = await failureOf(bed.node({ exchange, routingKey: 'k' }).send(NOTHING));
    assert.deepEqual([failure.kind, failure.code], ['rejected', 'ACCESS_REFUSED']);
    assert.match(failure.message, /internal exchange/);
  });

  it('counts deliveries of a quorum queue, and buries what came back too often', async () => {
    const dead = await bed.queue('dead');
    const queue = bed.ours('queue', 'q');
    const row = queueRow(queue, { kind: 'quorum', deliveryLimit: 2, deadKey: dead });
    const exchange = await bed.exchange('dlx', 'direct', dead, dead);
    const link = bed.link({ queues: [{ ...row, deadExchange: exchange }] });
    const { recorded } = bed.take({ queue }, link);
    await bed.node({ routingKey: queue }, link).send(NOTHING);
    const requeue = bed.node({ operation: 'reject', requeue: true }, link);
    const counts: unknown[] = [];
    for (let i = 0; i < 3; i += 1) {
      const msg = await recorded.next();
      counts.push(amqpOf(msg)['deliveryCount']);
      await requeue.send(msg);
    }
    assert.deepEqual(counts.slice(1), [1, 2]);
    assert.equal(String((await until(() => bed.get(dead))).content), 'x');
  });

  it('refuses a second consumer beside an exclusive one, and takes over when it ends', async () => {
    const queue = await bed.queue('q');
    const first = bed.take({ queue, exclusive: true });
    await until(async () => (await bed.channel.checkQueue(queue)).consumerCount);
    const second = bed.take({ queue });
    const failure = await until(() => second.recorded.failures[0]);
    assert.equal(failure.code, 'ACCESS_REFUSED');
    await first.node.close();
    bed.channel.sendToQueue(queue, Buffer.from('1'));
    assert.equal(String((await second.recorded.next()).payload), '1');
  });

  it('serves consumers with a higher priority first, under the names they give', async () => {
    const queue = await bed.queue('q');
    const low = bed.take({ queue, priority: 1, acknowledge: 'auto' });
    const high = bed.take({ queue, priority: 9, consumerTag: 'the-high-one', acknowledge: 'auto' });
    await until(async () => (await bed.channel.checkQueue(queue)).consumerCount === 2);
    for (let i = 0; i < 10; i += 1) bed.channel.sendToQueue(queue, Buffer.from(String(i)));
    for (let i = 0; i < 10; i += 1) assert.equal(String((await high.recorded.next()).payload), String(i));
    assert.equal(low.recorded.sent.length, 0);
  });

  it('reads a stream from its beginning, as often as it is asked to', async () => {
    const queue = bed.ours('queue', 'stream');
    const link = bed.link({ queues: [queueRow(queue, { kind: 'stream' })] });
    const node = bed.node({ routingKey: queue }, link);
    for (const payload of ['a', 'b']) await node.send({ payload });
    for (let round = 0; round < 2; round += 1) {
      const { recorded, node: reader } = bed.take({ queue, offset: 'first', acknowledge: 'auto' }, link);
      assert.deepEqual([(await recorded.next()).payload, (await recorded.next()).payload], ['a', 'b']);
      await reader.close();
    }
  });

  describe('a login', () => {
    it('with a wrong password is refused as such', async () => {
      const link = bed.link({}, { password: 'wrong' });
      const failure = await failureOf(bed.node({}, link).send(NOTHING));
      assert.deepEqual([failure.kind, failure.code], ['auth', 'AUTH_FAILED']);
    });

    it('to a virtual host that does not exist says which', async () => {
      const failure = await failureOf(bed.node({}, bed.link({ vhost: 'nowhere' })).send(NOTHING));
      assert.deepEqual([failure.kind, failure.code], ['config', 'BAD_CONFIG']);
      assert.match(failure.message, /virtual host: .*nowhere/);
    });
  });

  describe('the tables of the connection', () => {
    const rows = (): Record<string, unknown> => {
      const [exchange, queue] = [bed.ours('exchange', 'x'), bed.ours('queue', 'q')];
      return {
        exchanges: [exchangeRow(exchange)],
        queues: [queueRow(queue, { ttl: '1h', maxLength: 10, overflow: 'reject-publish' })],
        bindings: [bindingRow(exchange, queue, 'a.*')],
      };
    };

    it('are declared where something is missing, and change nothing the second time', async () => {
      const tables = rows();
      for (let round = 0; round < 2; round += 1) {
        const link = bed.link(tables);
        await bed.node({ exchange: bed.name('x'), routingKey: 'a.b' }, link).send(NOTHING);
        assert.deepEqual(link.recorded.failures, []);
      }
      assert.equal(await until(() => bed.count(bed.name('q'))), 2);
    });

    it('fail with every difference and the reason of the broker, and leave it as it is', async () => {
      await bed.queue('q', { messageTtl: 5 });
      await bed.exchange('x', 'fanout');
      const failure = await failureOf(bed.node({}, bed.link(rows())).send(NOTHING));
      assert.deepEqual([failure.kind, failure.code], ['config', 'BAD_CONFIG']);
      assert.match(failure.message, /Exchange ".*x" differs .*type/);
      assert.match(failure.message, /Queue ".*q" differs .*x-message-ttl/);
      await bed.channel.assertQueue(bed.name('q'), { messageTtl: 5 });
    });

    it('make nothing where only checking is wanted, and name what is missing', async () => {
      const tables = { ...rows(), declare: 'check' };
      const failure = await failureOf(bed.node({}, bed.link(tables)).send(NOTHING));
      assert.match(failure.message, /Exchange ".*x" does not exist.*Queue ".*q" does not exist/);
      await assert.rejects(bed.channel.checkQueue(bed.name('q')), /NOT_FOUND/);
    });

    it('name the row whose arguments are no JSON', async () => {
      const queues = [queueRow(bed.name('q'), { more: '[1]' })];
      const failure = await failureOf(bed.node({}, bed.link({ queues })).send(NOTHING));
      assert.match(failure.message, /Queue ".*q": the arguments are not a JSON object/);
    });

    it('wait for a queue that another connection holds alone', async () => {
      await bed.queue('q', { exclusive: true });
      const link = bed.link({ queues: [queueRow(bed.name('q'))] });
      const node = bed.node({ retryStrategy: 'fixed', retryBase: '100ms', retryAttempts: 100 }, link);
      const sent = node.send({ payload: 'x', routingKey: bed.name('q') });
      await until(() => link.recorded.lines.find((line) => /in use by another connection/.test(line)));
      await bed.channel.deleteQueue(bed.name('q'));
      await sent;
    });
  });
};
if (isExpected('RabbitMQ')) describe('amqp: RabbitMQ', tests);
