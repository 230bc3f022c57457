/** Confirmations that come late or never, and a broker that takes no messages. */
import assert from 'node:assert/strict';
import { systemClock, type Failure } from '../../lib/core';
import { Bed, until } from './bed.test';
import { start, type AmqpSimulator } from './simulator';

describe('amqp: late confirmations', () => {
  let bed: Bed;
  let simulator: AmqpSimulator;
  let queue: string;
  beforeEach(async () => {
    bed = await Bed.start(async () => {
      simulator = await start({ port: 0, seed: 1, clock: systemClock, still: true });
      return simulator;
    });
    queue = await bed.queue('q');
  });
  afterEach(() => bed.close());

  it('sends a message once whose confirmation outlasts its first attempt', async () => {
    const link = bed.link();
    const impatient = bed.node({ routingKey: queue, timeout: '50ms' }, link);
    await bed.node({ routingKey: queue }, link).send({ payload: 'warm up' });
    simulator.hold(true);
    const message = { payload: 'once', idempotencyKey: 'key-1' };
    await assert.rejects(impatient.send({ ...message }), { code: 'CALL_TIMEOUT' });
    await until(() => simulator.broker.queue(queue).length === 2);
    const repeat = bed.node({ routingKey: queue }, link).send({ ...message });
    const other = bed.node({ routingKey: queue }, link).send({ payload: 'another' });
    await until(() => simulator.broker.queue(queue).length === 3);
    simulator.hold(false);
    await Promise.all([repeat, other]);
    assert.equal(await bed.count(queue), 3);
  });

  it('does not know the outcome where a message must not be sent twice', async () => {
    const node = bed.node({
      routingKey: queue,
      repeat: 'once',
      timeout: '500ms',
      retryStrategy: 'fixed',
      retryAttempts: 5,
    });
    await node.send({ payload: 'warm up' });
    simulator.hold(true);
    await assert.rejects(node.send({ payload: 'once' }), { code: 'OUTCOME_UNKNOWN' });
    assert.equal(await bed.count(queue), 2);
  });

  it('fails what is under way when the connection is cut, each once', async () => {
    const link = bed.link();
    const node = bed.node({ routingKey: queue, repeat: 'once' }, link);
    await node.send({ payload: 'warm up' });
    simulator.hold(true);
    const all = Array.from({ length: 20 }, (_, i) => node.send({ payload: i }));
    await until(() => simulator.broker.queue(queue).length === 21);
    await bed.proxy.set({ kind: 'reset' });
    const outcomes = await Promise.allSettled(all);
    assert.deepEqual(
      new Set(outcomes.map((one) => (one.status === 'rejected' ? (one.reason as Failure).code : one.status))),
      new Set(['OUTCOME_UNKNOWN']),
    );
  });

  it('fails at once while the broker takes nothing, says so, and goes on afterwards', async () => {
    const link = bed.link();
    const node = bed.node({ routingKey: queue }, link);
    const { recorded } = bed.take({ queue: 'plant.dead' }, link);
    await node.send({ payload: 'warm up' });
    simulator.hold(true);
    const under = node.send({ payload: 'under way' });
    await until(() => simulator.broker.queue(queue).length === 2);
    simulator.block('low on memory');
    await assert.rejects(under, { kind: 'transient', code: 'BROKER_BLOCKED', reached: true });
    await recorded.shows(({ level, text }) => level === 'warn' && /takes no messages/.test(text));
    await assert.rejects(node.send({ payload: 'not sent' }), {
      kind: 'throttled',
      code: 'BROKER_BLOCKED',
      reached: false,
      message: /low on memory/,
    });
    simulator.block('');
    simulator.hold(false);
    const patient = bed.node(
      { routingKey: queue, retryStrategy: 'fixed', retryBase: '20ms', retryAttempts: 500 },
      link,
    );
    await patient.send({ payload: 'sent' });
    await recorded.shows(({ text }) => !/takes no messages/.test(text));
    assert.equal(await bed.count(queue), 3);
  });

  it('bounds what waits for confirmation, and lets the rest wait its turn', async () => {
    const node = bed.node({ routingKey: queue }, bed.link({ maxMessage: 16_384, concurrency: 64 }));
    const payload = Buffer.alloc(8_000_000);
    await Promise.all(Array.from({ length: 20 }, () => node.send({ payload })));
    assert.equal(await bed.count(queue), 20);
  });

  it('refuses a message beyond the limit of the connection, and names the limit of the broker', async () => {
    const node = bed.node({ routingKey: queue }, bed.link({ maxMessage: 20_000 }));
    await assert.rejects(node.send({ payload: Buffer.alloc(20_480_001) }), {
      code: 'BAD_MESSAGE',
      message: /Largest message/,
    });
    const sizes = [10, 17_000_000, 20];
    const outcomes = await Promise.allSettled(
      sizes.map((size) => node.send({ payload: Buffer.alloc(size) })),
    );
    const big = outcomes[1] as PromiseRejectedResult;
    assert.match((big.reason as Failure).message, /larger than configured max size/);
    assert.equal((big.reason as Failure).kind, 'rejected');
  });
});
