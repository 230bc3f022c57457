/** The same nodes on real brokers: NATS JetStream and RabbitMQ. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { RawConfig } from '../../lib/spec';
import { failureOf } from '../../test/helpers/failure-of';
import { deliveryOf, payloads, QueueFlow, sentMessage } from '../../test/helpers/queue-flow';
import { brokerAddress, isExpected } from '../../test/helpers/services';
import type { QueueSession } from './session';

const nats = brokerAddress('NATS');
const rabbit = brokerAddress('RabbitMQ');
const BROKERS = {
  NATS: { store: 'nats', servers: [`${nats.host}:${nats.port}`] },
  RabbitMQ: { store: 'rabbitmq', host: rabbit.host, port: rabbit.port },
} as const;

for (const broker of ['NATS', 'RabbitMQ'] as const) {
  if (!isExpected(broker)) continue;
  describe(`queue nodes on ${broker}`, () => {
    const flows: QueueFlow[] = [];
    let queue: string;
    const open = (raw: RawConfig = {}): QueueFlow => {
      const flow = new QueueFlow({ ...BROKERS[broker], queue, encrypt: false, authKind: 'none', ...raw });
      flows.push(flow);
      return flow;
    };
    /** Waits until so many messages were sent. */
    const sent = async (recorded: { next(): Promise<unknown> }, count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) await recorded.next();
    };
    beforeEach(() => {
      queue = `holdfast-test/${randomBytes(6).toString('hex')}`;
    });
    afterEach(async () => {
      for (const flow of flows.splice(0)) await flow.harness.close();
      await removeQueue(broker, queue);
    });

    it('delivers in order, and to another gateway what this one had in flight when it stopped', async () => {
      const one = open();
      const put = one.put();
      for (let n = 0; n < 5; n += 1) await put({ payload: { n, big: 2n ** 70n } });
      const here = one.take({ inFlight: 5 });
      await sent(here.recorded, 5);
      assert.deepEqual(
        payloads(here.recorded).map((payload) => (payload as { n: number }).n),
        [0, 1, 2, 3, 4],
      );
      assert.equal((sentMessage(here.recorded, 0).payload as { big: bigint }).big, 2n ** 70n);
      const acknowledge = one.acknowledge();
      for (const n of [0, 1, 2]) await acknowledge(sentMessage(here.recorded, n));
      // RabbitMQ keeps what a node released on its gateway until the connection closes.
      await one.harness.close();
      const two = open();
      const there = two.take({ pollEvery: '100ms' });
      await sent(there.recorded, 2);
      assert.deepEqual(
        payloads(there.recorded).map((payload) => (payload as { n: number }).n),
        [3, 4],
      );
      await two.acknowledge()(sentMessage(there.recorded, 0));
      await two.acknowledge()(sentMessage(there.recorded, 1));
      const { waiting, leased } = await (two.connection.current as QueueSession).queue.stats();
      assert.deepEqual({ waiting, leased }, { waiting: 0, leased: 0 });
    });

    it('brings a rejected message again, with its history', async () => {
      const flow = open();
      await flow.put()({ payload: 'work', idempotencyKey: 'k1' });
      const { recorded } = flow.take();
      const first = await recorded.next();
      const failure = { kind: 'transient', code: 'PEER_ERROR', message: 'The oven did not answer.' };
      await flow.reject({ pause: 'fixed', pauseFor: '10ms' })({ ...first, failure });
      const second = await recorded.next();
      const { delivery, id, history } = deliveryOf(second);
      assert.deepEqual(
        { delivery, id, codes: history?.map(({ code }) => code) },
        {
          delivery: 2,
          id: 'k1',
          codes: ['PEER_ERROR'],
        },
      );
      await flow.reject({ action: 'deadLetter' })(second);
      const stats = await (flow.connection.current as QueueSession).queue.stats();
      assert.deepEqual([stats.waiting, stats.leased, stats.delayed], [0, 0, 0]);
    });

    it('refuses an order key, which the broker cannot keep', async () => {
      const failure = await failureOf(open().put({ key: 'press1' })({ payload: 1 }));
      assert.equal(failure.code, 'BAD_MESSAGE');
      assert.match(failure.message, /keeps no order by key/);
    });
  });
}

describe('queue connection', () => {
  const refused = async (raw: RawConfig, secrets: RawConfig = {}): Promise<string> => {
    const flow = new QueueFlow(
      { ...BROKERS.RabbitMQ, queue: 'never-made', encrypt: false, ...raw },
      { secrets },
    );
    try {
      const failure = await failureOf(flow.put()({ payload: 1 }));
      assert.equal(failure.kind, 'config');
      return failure.message;
    } finally {
      await flow.harness.close();
    }
  };

  it('refuses a token for RabbitMQ, which knows none', async () => {
    assert.match(await refused({ authKind: 'bearer' }, { token: 'abc' }), /user name and a password/);
  });
});

async function removeQueue(broker: keyof typeof BROKERS, queue: string): Promise<void> {
  if (broker === 'NATS') {
    const { connect } = await import('@nats-io/transport-node');
    const { jetstreamManager } = await import('@nats-io/jetstream');
    const client = await connect({ servers: BROKERS.NATS.servers[0] });
    const { streams } = await jetstreamManager(client);
    await streams.delete(`holdfast_q_${queue.replaceAll('/', '=s')}`).catch(() => false);
    await client.close();
    return;
  }
  const { connect } = await import('amqplib');
  const client = await connect(`amqp://guest:guest@${rabbit.host}:${rabbit.port}`);
  client.on('error', () => {});
  for (const name of [`holdfast.queue.${queue}`, `holdfast.dead.${queue}`]) {
    const channel = await client.createChannel();
    channel.on('error', () => {});
    await channel.deleteQueue(name).catch(() => undefined);
  }
  await client.close();
}
