import assert from 'node:assert/strict';
import { Failure, type Message } from '../../lib/core';
import type { QueueStore } from '../../lib/queue';
import { localQueues } from '../../lib/queue/local';
import { openMemoryStore } from '../../lib/queue/memory/store';
import type { RawConfig } from '../../lib/spec';
import { failureOf } from '../../test/helpers/failure-of';
import { Harness } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { mapper } from './mapper';

/** Which output each message left through; a message that left through none is missing. */
async function outputs({ send, recorded }: Node, messages: readonly Message[]): Promise<number[]> {
  const found: number[] = [];
  for (const msg of messages) {
    const before = recorded.sent.length;
    const [out] = await send(msg);
    if (out) found.push(0);
    found.push(...recorded.sent.slice(before).map(({ output }) => output));
  }
  return found;
}
type Node = Pick<ReturnType<Harness['mapper']>, 'send' | 'recorded'>;
const keyed = (...keys: readonly unknown[]): Message[] => keys.map((idempotencyKey) => ({ idempotencyKey }));

describe('once per key', () => {
  let clock: VirtualClock;
  let harness: Harness;
  const node = (raw: RawConfig = {}): Node => harness.mapper(mapper, raw);
  beforeEach(() => {
    clock = new VirtualClock();
    harness = new Harness({ clock });
  });
  afterEach(() => harness.closeOn(clock));

  it('passes the first message of a key and sends repetitions to the second output', async () => {
    const once = node();
    assert.deepEqual(await outputs(once, keyed('a', 'b', 'a', 7, '7', 'b')), [0, 0, 1, 0, 1, 1]);
  });

  it('leaves the message as it is', async () => {
    const { send, recorded } = node({ key: 'payload.order', keyType: 'msg', memory: 'memory' });
    const msg = { payload: { order: 'A1' }, topic: 't' };
    assert.deepEqual(await send(msg), [{ payload: { order: 'A1' }, topic: 't' }]);
    assert.deepEqual(await send(msg), []);
    assert.equal(recorded.sent[0]?.msg, msg);
    assert.equal(recorded.sent[0]?.output, 1);
  });

  it('forgets a key after its window of running time, whatever the clock on the wall does', async () => {
    const once = node({ window: '10s' });
    clock.jump(86_400_000);
    assert.deepEqual(await outputs(once, keyed('a', 'a')), [0, 1]);
    await clock.advance(9_000);
    clock.jump(-2 * 86_400_000);
    assert.deepEqual(await outputs(once, keyed('a')), [1]);
    await clock.advance(2_000);
    assert.deepEqual(await outputs(once, keyed('a', 'a')), [0, 1]);
  });

  it('keeps as many keys as it may, the newest', async () => {
    const once = node({ maxKeys: 2 });
    assert.deepEqual(await outputs(once, keyed('a', 'b', 'c', 'c', 'a')), [0, 0, 0, 1, 0]);
  });

  it('forgets a key, or all, on request and sends nothing then', async () => {
    const once = node();
    const forget = { idempotencyKey: 'a', once: 'forget' };
    assert.deepEqual(await outputs(once, [...keyed('a', 'b'), forget, ...keyed('a', 'b')]), [0, 0, 0, 1]);
    assert.deepEqual(await outputs(once, [{ once: 'clear' }, ...keyed('a', 'b')]), [0, 0]);
  });

  for (const [what, msg] of Object.entries<Message>({
    'no key': {},
    'an empty key': { idempotencyKey: '' },
    'an object': { idempotencyKey: { a: 1 } },
    'a list': { idempotencyKey: ['a'] },
    'a key that is too long': { idempotencyKey: 'x'.repeat(201) },
  })) {
    it(`refuses ${what}, naming the property`, async () => {
      const failure = await failureOf(node().send(msg));
      assert.equal(failure.code, 'BAD_MESSAGE');
      assert.match(failure.message, /^msg\.idempotencyKey holds/);
    });
  }

  it('remembers over a restart in the local file, per node, and not in memory', async () => {
    const store = openMemoryStore({ clock });
    const kept: QueueStore = { ...bound(store), close: () => Promise.resolve() };
    const run = async (memory: string): Promise<number[]> => {
      const one = new Harness({ clock });
      Object.assign(one.runtime, { queues: localQueues(() => Promise.resolve(kept)) });
      const found = await outputs(one.mapper(mapper, { memory }), keyed('a', 'b', 'b'));
      const other = await outputs(one.mapper(mapper, { memory }), keyed('b'));
      await one.close();
      return [...found, ...other];
    };
    assert.deepEqual(await run('file'), [0, 0, 1, 0]);
    assert.deepEqual(await run('file'), [1, 1, 1, 1]);
    assert.deepEqual(await run('memory'), [0, 0, 1, 0]);
    assert.deepEqual(await run('memory'), [0, 0, 1, 0]);
    await store.close();
  });

  it('fails the message while the store cannot be used, and tries anew with the next one', async () => {
    const away = new Failure('transient', 'QUEUE_UNAVAILABLE', 'The disk is full.', { reached: false });
    let open = (): Promise<QueueStore> => Promise.reject(away);
    Object.assign(harness.runtime, { queues: localQueues(() => open()) });
    const once = node();
    for (const msg of keyed('a', 'b'))
      assert.equal((await failureOf(once.send(msg))).code, 'QUEUE_UNAVAILABLE');
    open = () => Promise.resolve(openMemoryStore({ clock }));
    assert.deepEqual(await outputs(once, keyed('a', 'a')), [0, 1]);
  });

  it('fails the message when the claim fails: nothing passes unchecked', async () => {
    const store = bound(openMemoryStore({ clock }));
    const away = new Failure('transient', 'QUEUE_UNAVAILABLE', 'The disk is full.', { reached: false });
    let fails = true;
    const keys: QueueStore['keys'] = async (name, options) => {
      const real = await store.keys?.(name, options);
      assert.ok(real);
      return { ...real, claim: (key) => (fails ? Promise.reject(away) : real.claim(key)) };
    };
    Object.assign(harness.runtime, { queues: localQueues(() => Promise.resolve({ ...store, keys })) });
    const once = node();
    const failure = await failureOf(once.send({ idempotencyKey: 'a' }));
    assert.equal(failure.code, 'QUEUE_UNAVAILABLE');
    assert.equal(failure.retryable, true);
    fails = false;
    assert.deepEqual(await outputs(once, keyed('a', 'a')), [0, 1]);
  });
});

/** A store whose methods can be taken apart, also where it is an instance of a class. */
function bound(store: QueueStore): QueueStore {
  return {
    capabilities: store.capabilities,
    dead: store.dead,
    open: (name, options) => store.open(name, options),
    names: () => store.names(),
    close: () => store.close(),
    keys: (name, options) => {
      assert.ok(store.keys);
      return store.keys(name, options);
    },
  };
}
