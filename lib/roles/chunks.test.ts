import assert from 'node:assert/strict';
import { Scope } from '../core';
import { settle } from '../../test/helpers/virtual-clock';
import { emitChunks, Pace, type Parts } from './chunks';
import type { Patch } from './declare';

class Source {
  asked = 0;
  freed = 0;
  constructor(readonly length: number) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Patch> {
    try {
      for (let i = 0; i < this.length; i += 1) {
        this.asked += 1;
        await Promise.resolve();
        yield { payload: i };
      }
    } finally {
      this.freed += 1;
    }
  }
}

function setUp(length: number, paced: boolean) {
  const source = new Source(length);
  const sent: { payload: unknown; parts: Parts; last: boolean }[] = [];
  const scope = new Scope();
  const pace = new Pace();
  const done = emitChunks(
    { chunks: source, paced },
    {
      id: 'm1',
      scope,
      pace,
      send: (patch, parts, last) => sent.push({ payload: patch.payload, parts, last }),
    },
  );
  return { source, sent, scope, pace, done };
}

describe('results in parts', () => {
  it('numbers the parts and marks the last', async () => {
    const { sent, done } = setUp(3, false);
    assert.equal(await done, 3);
    assert.deepEqual(
      sent.map((one) => one.parts),
      [
        { id: 'm1', index: 0 },
        { id: 'm1', index: 1 },
        { id: 'm1', index: 2, count: 3 },
      ],
    );
    assert.deepEqual(
      sent.map((one) => one.last),
      [false, false, true],
    );
  });

  it('sends one empty part for an empty result', async () => {
    const { sent, done } = setUp(0, false);
    await done;
    assert.deepEqual(sent, [{ payload: [], parts: { id: 'm1', index: 0, count: 0 }, last: true }]);
  });

  it('waits for ticks and reads only one part ahead', async () => {
    const { source, sent, pace, done } = setUp(5, true);
    await settle();
    assert.equal(sent.length, 1);
    assert.equal(source.asked, 2);
    pace.tick();
    await settle();
    assert.equal(sent.length, 2);
    for (let i = 0; i < 3; i += 1) {
      pace.tick();
      await settle();
    }
    assert.equal(await done, 5);
  });

  it('a tick that comes early counts once', async () => {
    const { sent, pace, done } = setUp(3, true);
    pace.tick();
    pace.tick();
    await settle();
    assert.equal(sent.length, 2);
    pace.tick();
    await done;
    assert.equal(sent.length, 3);
  });

  it('frees the source when the node stops while waiting', async () => {
    const { source, scope, done } = setUp(5, true);
    await settle();
    scope.abort();
    await assert.rejects(done, /stopping/);
    await settle();
    assert.equal(source.freed, 1);
    assert.equal(scope.listenerCount, 0);
  });
});

describe('a source that misbehaves', () => {
  const send = (): void => {};

  it('cannot leave a rejection behind when its node has stopped', async () => {
    const scope = new Scope();
    scope.abort();
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const chunks = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('late')) }) };
      await assert.rejects(emitChunks({ chunks, paced: false }, { id: 'm', scope, pace: new Pace(), send }));
      await settle();
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('cannot keep a message open by never giving its cursor back', async () => {
    const chunks = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error('gone')),
        return: () => new Promise<never>(() => {}),
      }),
    };
    const to = { id: 'm', scope: new Scope(), pace: new Pace(), send };
    let ended = false;
    emitChunks({ chunks, paced: false }, to).catch(() => (ended = true));
    await settle();
    assert.ok(ended);
  });
});
