import assert from 'node:assert/strict';
import { Failure } from '../../lib/core';
import type { Queue } from '../../lib/queue';
import type { RawConfig } from '../../lib/spec';
import { failureOf } from '../../test/helpers/failure-of';
import { onVirtualClock, payloads, sentMessage, type QueueFlow } from '../../test/helpers/queue-flow';
import type { VirtualClock } from '../../test/helpers/virtual-clock';
import { tokensOf } from './facts';
import type { QueueSession } from './session';

const SHORT_MS = 50;
const once = { retryStrategy: 'none' };

describe('queue put, acknowledge and reject', () => {
  let flow: QueueFlow;
  let clock: VirtualClock;
  let end: () => Promise<void>;
  const begin = (raw: RawConfig = {}, wrap?: (queue: Queue) => Queue): void => {
    ({ flow, clock, end } = onVirtualClock(raw, wrap ? { wrap } : {}));
  };
  const done = async <T>(sending: Promise<T>): Promise<T> => {
    // A failure is the caller's to look at.
    sending.catch(() => {});
    await clock.advance(SHORT_MS);
    return sending;
  };
  const queue = (): Queue => (flow.connection.current as QueueSession).queue;
  afterEach(() => end());

  it('says what became of the message, and keeps its idempotency key', async () => {
    begin({ duplicateWindow: '1m' });
    const put = flow.put();
    const msg = { payload: 1, idempotencyKey: 'k1' };
    const [first] = await done(put({ ...msg }));
    const [second] = await done(put({ ...msg }));
    assert.deepEqual(first?.queue, { name: 'pieces', id: 'k1', result: 'stored' });
    assert.deepEqual(second?.queue, { name: 'pieces', id: 'k1', result: 'duplicate' });
    assert.equal(first.payload, 1);
  });

  it('refuses what cannot be stored, naming the path', async () => {
    begin();
    const failure = await failureOf(done(flow.put(once)({ payload: 1, req: { on: () => {} } })));
    assert.equal(failure.code, 'NOT_STORABLE');
    assert.match(failure.message, /msg\.req/);
    await done(flow.put({ store: 'payload' })({ payload: 1, req: { on: () => {} } }));
    assert.equal((await queue().stats()).waiting, 1);
  });

  for (const [what, key] of Object.entries<unknown>({ 'an object': {}, 'a long text': 'x'.repeat(201) })) {
    it(`refuses ${what} as the order key`, async () => {
      begin();
      const put = flow.put({ key: 'topic', keyType: 'msg', ...once });
      const failure = await failureOf(done(put({ topic: key })));
      assert.equal(failure.code, 'BAD_MESSAGE');
      assert.match(failure.message, /order key/);
    });
  }

  it('shows that new messages are dropped, and counts them', async () => {
    begin({ maxRecords: 1, whenFull: 'dropNewest' });
    const put = flow.put();
    await done(put({ payload: 1 }));
    const [dropped] = await done(put({ payload: 2 }));
    assert.equal((dropped?.queue as { result: string }).result, 'dropped');
    assert.equal((await queue().stats()).totals.dropped.full, 1);
  });

  it('lets acknowledgements through while the queue is full: the breaker stays closed', async () => {
    begin({ maxRecords: 1, breakerFailures: 2 });
    const put = flow.put(once);
    const { recorded } = flow.take();
    await done(put({ payload: 0 }));
    for (let i = 0; i < 5; i += 1) {
      const failure = await failureOf(done(put({ payload: i })));
      assert.equal(failure.code, 'QUEUE_FULL');
    }
    await done(flow.acknowledge(once)(sentMessage(recorded, 0)));
    await done(put({ payload: 6 }));
    assert.equal(recorded.sent.length, 2);
  });

  it('knows that its own first attempt to acknowledge succeeded after all', async () => {
    let calls = 0;
    begin({}, (real) =>
      over(real, {
        acknowledge: async (token) => {
          calls += 1;
          const ended = await real.acknowledge(token);
          // The answer comes after the timeout of the attempt.
          await new Promise<void>((resolve) => void clock.timer(1500, resolve));
          return ended;
        },
      }),
    );
    const { recorded } = flow.take();
    await done(flow.put()({ payload: 1 }));
    const send = flow.acknowledge({ timeout: '1s', retryStrategy: 'fixed', retryBase: '1s' });
    const sending = send(sentMessage(recorded, 0));
    await clock.advance(5_000);
    assert.equal((await sending).length, 1, 'no LEASE_LOST for what this message itself acknowledged');
    assert.equal(calls, 1);
  });

  it('repeats an acknowledgement that failed', async () => {
    let fails = 2;
    begin({}, (real) =>
      over(real, {
        acknowledge: (token) => (fails-- > 0 ? Promise.reject(away()) : real.acknowledge(token)),
      }),
    );
    const { recorded } = flow.take();
    await done(flow.put()({ payload: 1 }));
    const sending = flow.acknowledge()(sentMessage(recorded, 0));
    await clock.advance(10_000);
    assert.equal((await sending).length, 1);
    assert.equal((await queue().stats()).totals.acknowledged, 1);
  });

  it('passes on what comes too late where that is wanted', async () => {
    begin();
    const late = { queue: [{ name: 'pieces', token: 'gone' }, 'gone too'] };
    const [passed] = await done(flow.acknowledge({ whenLost: 'pass' })({ ...late }));
    assert.equal(passed?.leaseLost, 2);
    const failure = await failureOf(done(flow.reject(once)({ ...late })));
    assert.equal(failure.code, 'LEASE_LOST');
    assert.match(failure.message, /^2 of 2 deliveries/);
  });

  it('refuses messages without a delivery, of another queue, or only put', () => {
    begin();
    const bad = (value: unknown, words: RegExp): void =>
      assert.throws(
        () => tokensOf(value, 'pieces'),
        (error) => error instanceof Failure && error.code === 'BAD_MESSAGE' && words.test(error.message),
      );
    bad(undefined, /holds no delivery/);
    bad(7, /holds no delivery/);
    bad([], /array of 0 entries/);
    bad({ name: 'orders', token: 't' }, /taken from the queue "orders"/);
    bad({ name: 'pieces', id: 'k', result: 'stored' }, /holds no token/);
    assert.deepEqual(tokensOf([{ name: 'pieces', token: 'a' }, 'b'], 'pieces'), ['a', 'b']);
  });

  it('shows what the store says is wrong, fails with it, and goes on by itself', async () => {
    const heard: ((sentence: string | undefined) => void)[] = [];
    let full = false;
    begin({ breakerFailures: 2, pingEvery: '1s' }, (real) =>
      over(real, {
        put: (entry) => (full ? Promise.reject(away()) : real.put(entry)),
        listen(listener) {
          heard.push((sentence) => listener.trouble?.(sentence));
          return real.listen(listener);
        },
      }),
    );
    const tell = (sentence: string | undefined): void => heard.forEach((fn) => fn(sentence));
    const { recorded } = flow.take();
    await clock.advance(SHORT_MS);
    full = true;
    tell(away().message);
    await clock.advance(2_000);
    assert.equal(recorded.statuses.at(-1)?.level, 'warn');
    assert.match(recorded.statuses.at(-1)?.text ?? '', /disk is full/);
    const put = flow.put(once);
    for (let i = 0; i < 4; i += 1) {
      assert.match((await failureOf(done(put({ payload: i })))).message, /disk is full/);
    }
    full = false;
    tell(undefined);
    await done(put({ payload: 'again' }));
    assert.deepEqual(payloads(recorded), ['again'], 'no breaker stands in the way');
    // The health of the last minute remembers the failures.
    await clock.advance(70_000);
    assert.equal(recorded.statuses.at(-1)?.level, 'good');
  });
});

function away(): Failure {
  return new Failure('transient', 'QUEUE_UNAVAILABLE', 'The disk is full; make room.', { reached: false });
}

/** A queue some of whose methods are replaced; the others stay its own. */
function over(real: Queue, other: Partial<Queue>): Queue {
  return new Proxy(real, {
    get(target, name) {
      if (Object.hasOwn(other, name)) return Reflect.get(other, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
