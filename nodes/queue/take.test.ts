import assert from 'node:assert/strict';
import { isFailure, type Message } from '../../lib/core';
import type { RawConfig } from '../../lib/spec';
import { failureOf } from '../../test/helpers/failure-of';
import {
  deliveryOf,
  onVirtualClock,
  payloads,
  sentMessage,
  type QueueFlow,
} from '../../test/helpers/queue-flow';
import type { VirtualClock } from '../../test/helpers/virtual-clock';
import type { QueueSession } from './session';

/** What passes within one second of virtual time has long been delivered. */
const SHORT_MS = 50;

describe('queue take', () => {
  let flow: QueueFlow;
  let clock: VirtualClock;
  let end: () => Promise<void>;
  const begin = (raw: RawConfig = {}): void => {
    ({ flow, clock, end } = onVirtualClock(raw));
  };
  const putAll = async (messages: readonly Message[], raw: RawConfig = {}): Promise<void> => {
    const put = flow.put(raw);
    const all = Promise.all(messages.map((msg) => put(msg)));
    await clock.advance(SHORT_MS);
    await all;
  };
  const numbers = (count: number): Message[] => Array.from({ length: count }, (_, payload) => ({ payload }));
  const done = async (sending: Promise<unknown>): Promise<void> => {
    await clock.advance(SHORT_MS);
    await sending;
  };
  afterEach(() => end());

  it('delivers what was put as it was, with what it needs to be acknowledged', async () => {
    begin();
    const { recorded } = flow.take();
    const when = new Date(0);
    await putAll(
      [{ payload: { n: 1n, at: when }, topic: 't', idempotencyKey: 'order-7', queue: { stale: () => {} } }],
      {
        key: 'press1',
      },
    );
    const msg = sentMessage(recorded, 0);
    assert.deepEqual(msg.payload, { n: 1n, at: when });
    assert.equal(msg.topic, 't');
    assert.equal(msg.idempotencyKey, 'order-7');
    const { token, time, ...rest } = deliveryOf(msg);
    assert.deepEqual(rest, { name: 'pieces', delivery: 1, id: 'order-7', key: 'press1' });
    assert.ok(token !== '' && time.startsWith('2026-01-01T00:00:00'));
    await done(flow.acknowledge()(msg));
  });

  it('takes no more than may be in flight, and goes on with every acknowledgement', async () => {
    begin();
    const { recorded } = flow.take({ inFlight: 3 });
    const acknowledge = flow.acknowledge();
    await putAll(numbers(5));
    assert.deepEqual(payloads(recorded), [0, 1, 2]);
    await done(acknowledge(sentMessage(recorded, 1)));
    assert.deepEqual(payloads(recorded), [0, 1, 2, 3]);
    await done(acknowledge(sentMessage(recorded, 0)));
    assert.deepEqual(payloads(recorded), [0, 1, 2, 3, 4]);
  });

  it('delivers again when the visibility timeout runs out, and refuses the late acknowledgement', async () => {
    begin();
    const { recorded } = flow.take({ visibility: '10s', inFlight: 1 });
    await putAll(numbers(1));
    await clock.advance(9_000);
    assert.equal(recorded.sent.length, 1);
    await clock.advance(2_000);
    assert.equal(recorded.sent.length, 2);
    assert.equal(deliveryOf(sentMessage(recorded, 1)).delivery, 2);
    const late = failureOf(flow.acknowledge()(sentMessage(recorded, 0)));
    await clock.advance(SHORT_MS);
    assert.equal((await late).code, 'LEASE_LOST');
    assert.equal((await late).kind, 'rejected');
    await done(flow.acknowledge()(sentMessage(recorded, 1)));
  });

  it('gives a slow flow more time when it asks for it', async () => {
    begin();
    const { recorded } = flow.take({ visibility: '10s' });
    const prolong = flow.acknowledge({ operation: 'extend', visibility: '1m' });
    await putAll(numbers(1));
    await clock.advance(9_000);
    await done(prolong(sentMessage(recorded, 0)));
    await clock.advance(50_000);
    assert.equal(recorded.sent.length, 1, 'it was not delivered again');
    await clock.advance(15_000);
    assert.equal(recorded.sent.length, 2);
  });

  it('lets a rejected message rest longer each time, with the reasons in its history', async () => {
    begin();
    const { recorded } = flow.take({ firstPause: '4s', longestPause: '10s' });
    const reject = flow.reject();
    await putAll(numbers(1));
    const failure = { kind: 'transient', code: 'PEER_ERROR', message: 'The oven did not answer.' };
    const restsFor = async (from: number, to: number): Promise<void> => {
      const before = recorded.sent.length;
      const msg = { ...sentMessage(recorded, before - 1), failure };
      await done(reject(msg));
      await clock.advance(from - SHORT_MS);
      assert.equal(recorded.sent.length, before, `less than ${from} ms`);
      await clock.advance(to - from);
      assert.equal(recorded.sent.length, before + 1, `more than ${to} ms`);
    };
    // Equal jitter with a random number of one half: three quarters of 4 s, 8 s and then of 10 s.
    await restsFor(2_900, 3_200);
    await restsFor(5_900, 6_200);
    await restsFor(7_400, 7_700);
    const { history, delivery } = deliveryOf(sentMessage(recorded, 3));
    assert.equal(delivery, 4);
    assert.deepEqual(
      history?.map(({ code, message, kind }) => [kind, code, message]),
      Array.from({ length: 3 }, () => ['transient', 'PEER_ERROR', 'The oven did not answer.']),
    );
  });

  it('lets a message of the same key wait for the one that was given back', async () => {
    begin();
    const { recorded } = flow.take({ retryPause: 'fixed', firstPause: '5s' });
    const put = flow.put({ key: 'topic', keyType: 'msg' });
    const all = ['a1', 'a2', 'b1'].map((payload) => put({ payload, topic: payload[0] }));
    await done(Promise.all(all));
    assert.deepEqual(payloads(recorded), ['a1', 'b1']);
    await done(flow.reject()(sentMessage(recorded, 0)));
    assert.deepEqual(payloads(recorded), ['a1', 'b1'], 'a2 waits for a1');
    await clock.advance(6_000);
    assert.deepEqual(payloads(recorded), ['a1', 'b1', 'a1']);
    await done(flow.acknowledge()(sentMessage(recorded, 2)));
    assert.deepEqual(payloads(recorded), ['a1', 'b1', 'a1', 'a2']);
  });

  it('makes a dead letter of a message on request, with the reason and the node that failed', async () => {
    begin();
    const { recorded } = flow.take();
    await putAll(numbers(1));
    const error = { message: 'No such article.', source: { id: 'n17', type: 'function', name: 'book' } };
    await done(flow.reject({ action: 'deadLetter' })({ ...sentMessage(recorded, 0), error }));
    const { queue } = flow.connection.current as QueueSession;
    const { waiting, leased, delayed, dead } = await queue.stats();
    assert.deepEqual({ waiting, leased, delayed, dead }, { waiting: 0, leased: 0, delayed: 0, dead: 1 });
  });

  it('sends a batch as one message, which is acknowledged as a whole', async () => {
    begin();
    await putAll(numbers(5).map((msg) => ({ ...msg, topic: 'reading' })));
    const { recorded } = flow.take({ batch: 3, inFlight: 6 });
    await clock.advance(SHORT_MS);
    assert.deepEqual(payloads(recorded), [
      [0, 1, 2],
      [3, 4],
    ]);
    const [first] = (sentMessage(recorded, 0).messages as Message[]).map(({ topic, idempotencyKey }) => ({
      topic,
      idempotencyKey,
    }));
    assert.equal(first?.topic, 'reading');
    assert.equal(first.idempotencyKey, (sentMessage(recorded, 0).queue as { id: string }[])[0]?.id);
    await done(flow.acknowledge()(sentMessage(recorded, 0)));
    await done(flow.reject({ pause: 'fixed', pauseFor: '0s' })(sentMessage(recorded, 1)));
    assert.deepEqual(payloads(recorded).at(-1), [3, 4]);
  });

  it('acknowledges before it sends where at most once is wanted', async () => {
    begin();
    const { recorded } = flow.take({ acknowledge: 'sent', inFlight: 2 });
    await putAll(numbers(5));
    assert.deepEqual(payloads(recorded), [0, 1, 2, 3, 4]);
    assert.equal(deliveryOf(sentMessage(recorded, 0)).token, undefined);
    const { queue } = flow.connection.current as QueueSession;
    assert.equal((await queue.stats()).totals.acknowledged, 5);
    const needless = failureOf(flow.acknowledge()(sentMessage(recorded, 0)));
    await clock.advance(SHORT_MS);
    assert.match((await needless).message, /holds no token/);
  });

  it('pauses and resumes by message, and keeps what is in flight', async () => {
    begin();
    const { node, recorded } = flow.take();
    await putAll(numbers(1));
    await node.input({ topic: 'pause' });
    await putAll(numbers(2));
    assert.equal(recorded.sent.length, 1);
    await clock.advance(2_000);
    assert.match(recorded.statuses.at(-1)?.text ?? '', /paused, 2 waiting, 1 in flight/);
    await done(flow.acknowledge()(sentMessage(recorded, 0)));
    await node.input({ payload: 'resume' });
    await clock.advance(SHORT_MS);
    assert.equal(recorded.sent.length, 3);
    await assert.rejects(
      node.input({ payload: 'stop' }),
      (error) => isFailure(error) && error.code === 'BAD_MESSAGE',
    );
  });

  it('takes nothing while a named connection is unhealthy, and goes on by itself', async () => {
    begin();
    const { board } = flow.harness.runtime;
    const oven = board.track({ id: 'c1', name: 'Oven', type: 'x', simulated: false });
    oven.state('unhealthy', 'It does not answer.');
    const { recorded } = flow.take({ pauseWhile: ['Oven'] });
    await putAll(numbers(2));
    await clock.advance(2_000);
    assert.equal(recorded.sent.length, 0);
    assert.match(recorded.statuses.at(-1)?.text ?? '', /Oven is unhealthy, 2 waiting/);
    assert.equal(recorded.statuses.at(-1)?.level, 'warn');
    oven.state('healthy', 'It answers.');
    await clock.advance(SHORT_MS);
    assert.equal(recorded.sent.length, 2);
    oven.state('unhealthy', 'It does not answer.');
    await putAll(numbers(1));
    assert.equal(recorded.sent.length, 2);
    // A connection that was removed tells nobody.
    oven.remove();
    await clock.advance(2_000);
    assert.equal(recorded.sent.length, 3);
  });

  it('gives back what is in flight when it stops: that delivery does not count', async () => {
    begin({ maxDeliveries: 1 });
    const { node, recorded } = flow.take();
    await putAll(numbers(2));
    await done(node.close());
    const next = flow.take();
    await clock.advance(SHORT_MS);
    assert.deepEqual(payloads(next.recorded), [0, 1]);
    assert.equal(deliveryOf(sentMessage(next.recorded, 0)).delivery, 1);
    const late = failureOf(flow.acknowledge()(sentMessage(recorded, 0)));
    await clock.advance(SHORT_MS);
    assert.equal((await late).code, 'LEASE_LOST');
  });

  it('makes a dead letter of bytes that are no message, and goes on', async () => {
    begin();
    flow.take({ inFlight: 1 });
    await clock.advance(SHORT_MS);
    const { queue } = flow.connection.current as QueueSession;
    await queue.put({ id: 'odd', key: '', time: 0, body: Buffer.from('{"payload":') });
    const { recorded } = flow.take({ inFlight: 1 });
    await putAll(numbers(1));
    await clock.advance(1_000);
    const { dead, leased } = await queue.stats();
    assert.deepEqual({ dead, leased }, { dead: 1, leased: 1 });
    assert.ok(recorded.sent.length <= 1);
  });

  it('shows how many wait and how many are in flight', async () => {
    begin();
    const { recorded } = flow.take({ inFlight: 1 });
    await putAll(numbers(3));
    await clock.advance(3_000);
    assert.match(recorded.statuses.at(-1)?.text ?? '', /2 waiting, 1 in flight/);
  });
});
