/** Messages, results and settings at the edge of what an adapter may meet. */
import assert from 'node:assert/strict';
import { Failure, isFailure, type Message } from '../core';
import { choice, duration, int, text } from '../spec';
import { failureOf } from '../../test/helpers/failure-of';
import { Harness } from '../../test/helpers/harness';
import { settle, VirtualClock } from '../../test/helpers/virtual-clock';
import { defineAdapter, defineConnector, type Outcome, type Patch, type Result } from './declare';

class Peer {
  opened = 0;
  calls = 0;
  freed = 0;
  effects: string[] = [];
  answer: (msg: Message) => Promise<Result> = () => Promise.resolve({ payload: 'ok' });
  join: (count: number) => Promise<readonly Outcome[]> = (count) =>
    Promise.resolve(Array.from({ length: count }, () => ({ ok: true, patch: { payload: 'joined' } })));

  readonly connector = defineConnector({
    type: 'holdfast-edge-connection',
    version: 1,
    label: 'edge',
    summary: 'A peer.',
    fields: {},
    open: () => {
      this.opened += 1;
      return Promise.resolve({ number: this.opened });
    },
    close: () => Promise.resolve(),
    classify: (error) =>
      error instanceof Error && error.message === 'gone'
        ? new Failure('disconnected', 'CONNECTION_LOST', 'The peer went away.')
        : new Failure('rejected', 'PEER_REJECTED', `Refused: ${error instanceof Error ? error.message : ''}`),
    simulator: { load: () => Promise.reject(new Error('none')), apply: (config) => config },
  });

  readonly adapter = defineAdapter({
    type: 'holdfast-edge',
    version: 1,
    label: 'edge',
    summary: 'Asks.',
    connector: this.connector,
    fields: {
      mode: choice({
        label: 'Mode',
        help: 'x.',
        default: 'alone',
        options: { alone: 'Alone', joined: 'Joined' },
        override: 'mode',
      }),
      size: int({
        label: 'Size',
        help: 'x.',
        default: 5,
        min: 1,
        override: 'size',
        showWhen: { mode: ['joined'] },
      }),
      effect: choice({
        label: 'Effect',
        help: 'x.',
        default: 'safe',
        options: { safe: 'Safe', once: 'Once' },
        override: 'effect',
      }),
      wait: duration({ label: 'Wait', help: 'x.', default: '0s' }),
      path: text({ label: 'Path', help: 'x.', default: '/{{id}}' }),
    },
    effect: ({ effect }) => effect,
    operation: () => 'ask',
    cacheKey: (_values, msg) => String(msg.id),
    call: ({ msg }) => {
      this.calls += 1;
      return this.answer(msg);
    },
    collect: {
      key: ({ mode }) => (mode === 'joined' ? 'all' : undefined),
      limits: ({ wait }) => ({ items: 3, waitMs: wait }),
      call: (items) => {
        this.effects.push(items.map((one) => one.values.effect).join());
        return this.join(items.length);
      },
    },
  });

  /** A result in parts; `fail` says what its second part meets. */
  parts(paced: boolean, fail?: () => Promise<never>): Result {
    const patches = async function* (freed: () => void): AsyncGenerator<Patch> {
      try {
        for (let i = 0; i < 5; i += 1) {
          if (i === 2 && fail) await fail();
          yield { payload: i };
        }
      } finally {
        freed();
      }
    };
    return { chunks: patches(() => (this.freed += 1)), paced };
  }
}

describe('adapter node, at the edge', () => {
  let clock: VirtualClock;
  let peer: Peer;
  let harness: Harness;

  function start(raw: Record<string, unknown> = {}, link: Record<string, unknown> = {}) {
    const { connection } = harness.connection(peer.connector, { name: 'Peer', ...link });
    const settings = { name: 'ask', retryStrategy: 'none', ...raw };
    return { connection, ...harness.adapter(peer.adapter, connection, settings) };
  }
  function counts() {
    const series = harness.runtime.metrics.snapshot().find((one) => one.labels.role === 'node');
    assert.ok(series);
    const { counters, queued } = series;
    return [counters.in, counters.out, counters.failed, counters.cancelled, queued];
  }

  beforeEach(() => {
    clock = new VirtualClock();
    peer = new Peer();
    harness = new Harness({ clock, random: () => 0.5 });
  });
  afterEach(async () => {
    await harness.closeOn(clock);
  });

  describe('messages', () => {
    it('that are frozen get their result and their failure in a copy', async () => {
      const { send } = start();
      const [out] = await send(Object.freeze({ payload: 1 }));
      assert.equal(out?.payload, 'ok');
      peer.answer = () => Promise.reject(new Error('odd'));
      const failure = await failureOf(send(Object.freeze({ payload: 1 })));
      assert.equal(failure.code, 'PEER_REJECTED');
      assert.deepEqual(counts(), [2, 1, 1, 0, 0]);
    });

    it('without a prototype or with a getter that throws end like others', async () => {
      const { send } = start();
      const bare = Object.assign(Object.create(null) as Message, { payload: 1 });
      assert.equal((await send(bare))[0]?.payload, 'ok');
      const trap = Object.defineProperty({}, 'mode', {
        enumerable: true,
        get: () => {
          throw new Error('trap');
        },
      });
      await failureOf(send(trap));
      assert.deepEqual(counts(), [2, 1, 1, 0, 0]);
    });

    it('with a tick are calls as long as no result came in parts', async () => {
      const { send } = start();
      assert.equal((await send({ payload: 1, tick: 12 }))[0]?.payload, 'ok');
    });

    it('cannot replace what the form hides, nor set a timeout of a strange kind', async () => {
      const { send } = start({ timeout: '5s' });
      assert.equal((await send({ payload: 1, size: 'many' })).length, 1);
      assert.match(
        (await failureOf(send({ payload: 1, mode: 'joined', size: 'many' }))).message,
        /msg\.size/,
      );
      for (const timeout of [{}, [], true, 'soon', -1, NaN, '1e9d']) {
        assert.match((await failureOf(send({ payload: 1, timeout }))).message, /msg\.timeout cannot be used/);
      }
      peer.answer = () => new Promise(() => {});
      const slow = failureOf(send({ payload: 1, timeout: '', mode: '' }));
      await clock.advance(5100);
      assert.equal((await slow).code, 'CALL_TIMEOUT');
    });
  });

  describe('kept results', () => {
    it('belong to messages that ask the same', async () => {
      peer.answer = (msg) => Promise.resolve({ payload: `about ${String(msg.id)}` });
      const { send } = start({ cacheFor: '1m' });
      assert.equal((await send({ _msgid: 'a', id: 1 }))[0]?.payload, 'about 1');
      assert.equal((await send({ _msgid: 'b', id: 2 }))[0]?.payload, 'about 2');
      assert.equal((await send({ _msgid: 'c', id: 1 }))[0]?.payload, 'about 1');
      assert.equal(peer.calls, 2);
    });

    it('let results in parts pass', async () => {
      peer.answer = () => Promise.resolve(peer.parts(false));
      const { send } = start({ cacheFor: '1m' });
      assert.equal((await send({ payload: 1 })).length, 5);
      assert.equal((await send({ payload: 1 })).length, 5);
    });
  });

  describe('results in parts', () => {
    it('that lose their connection fail once, named, and end the session', async () => {
      peer.answer = () => Promise.resolve(peer.parts(false, () => Promise.reject(new Error('gone'))));
      const { send } = start();
      const msg: Message = { payload: 1 };
      const failure = await failureOf(send(msg));
      assert.equal(failure.code, 'CONNECTION_LOST');
      assert.equal((msg.failure as { code: string }).code, 'CONNECTION_LOST');
      await clock.advance(2000);
      assert.equal(peer.opened, 2);
      assert.deepEqual(counts(), [1, 0, 1, 0, 0]);
    });

    it('that meet any other error keep the session', async () => {
      peer.answer = () => Promise.resolve(peer.parts(false, () => Promise.reject(new Error('bad row'))));
      const { send } = start();
      assert.equal((await failureOf(send({ payload: 1 }))).message, 'Refused: bad row');
      await clock.advance(2000);
      assert.equal(peer.opened, 1);
    });

    it('whose peer falls silent end after the timeout', async () => {
      peer.answer = () => Promise.resolve(peer.parts(false, () => new Promise<never>(() => {})));
      const { send } = start({ timeout: '2s' });
      const failing = failureOf(send({ payload: 1 }));
      await clock.advance(2100);
      assert.equal((await failing).code, 'CALL_TIMEOUT');
    });

    it('that nobody asks for any more end after a while, and are bounded in number', async () => {
      peer.answer = () => Promise.resolve(peer.parts(true));
      const { send } = start();
      const ended = Promise.all(Array.from({ length: 1000 }, (_, i) => failureOf(send({ _msgid: `m${i}` }))));
      await clock.advance(10);
      assert.ok(peer.freed >= 900, `only ${peer.freed} results were closed`);
      assert.ok(peer.freed < 1000);
      await clock.advance(3_600_000);
      assert.ok((await ended).every(({ code }) => code === 'RESULT_ABANDONED'));
      assert.equal(peer.freed, 1000);
      assert.deepEqual(counts(), [1000, 0, 1000, 0, 0]);
    });

    it('of two messages with the same id do not lose each other', async () => {
      peer.answer = () => Promise.resolve(peer.parts(true));
      const { send, node } = start();
      const both = Promise.all([send({ _msgid: 'same' }), send({ _msgid: 'same' })]);
      await clock.advance(10);
      for (let i = 0; i < 10; i += 1) {
        await node.input({ tick: true, parts: { id: 'same' } }, () => {});
        await settle();
      }
      assert.deepEqual(
        (await both).map((out) => out.length),
        [5, 5],
      );
    });

    it('that wait for a tick do not hold up a redeploy', async () => {
      peer.answer = () => Promise.resolve(peer.parts(true));
      const { send, node } = start();
      const failing = failureOf(send({ payload: 1 }));
      await clock.advance(10);
      const before = clock.mono();
      await node.close();
      assert.equal(clock.mono(), before);
      assert.equal((await failing).kind, 'cancelled');
      assert.equal(peer.freed, 1);
    });
  });

  describe('joined messages', () => {
    it('that fail alone are named, and a dead session is noticed', async () => {
      peer.join = (count) =>
        Promise.resolve(
          Array.from({ length: count }, (_, i) =>
            i === 0 ? { ok: false, error: new Error('gone') } : { ok: true, patch: {} },
          ),
        );
      const { send } = start({ mode: 'joined' });
      const first = failureOf(send({ payload: 1 }));
      const second = send({ payload: 2 });
      assert.equal((await first).code, 'CONNECTION_LOST');
      assert.equal((await second).length, 1);
      await clock.advance(2000);
      assert.equal(peer.opened, 2);
      assert.deepEqual(counts(), [2, 1, 1, 0, 0]);
    });

    it('never share a call with one of another effect', async () => {
      const { send } = start({ mode: 'joined' });
      await Promise.all([send({ effect: 'safe' }), send({ effect: 'once' }), send({ effect: 'safe' })]);
      assert.deepEqual(peer.effects.sort(), ['once', 'safe,safe']);
    });

    it('that wait when the node closes are sent', async () => {
      const { send, node } = start({ mode: 'joined', wait: '1h' });
      const sent = Promise.all([send({ payload: 1 }), send({ payload: 2 })]);
      await clock.advance(10);
      const closing = node.close();
      await clock.advance(7000);
      await closing;
      assert.deepEqual(
        (await sent).map((out) => out[0]?.payload),
        ['joined', 'joined'],
      );
    });

    it('that arrive behind a running call are sent too, without their patience', async () => {
      let release: () => void = () => {};
      const fine = peer.join;
      peer.join = async (count) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return fine(count);
      };
      const { send, node } = start({ mode: 'joined', wait: '1h' });
      const sent = Promise.all([1, 2, 3, 4].map((payload) => send({ payload })));
      await clock.advance(10);
      const closing = node.close();
      release();
      await clock.advance(1000);
      release();
      await clock.advance(1000);
      assert.equal((await sent).length, 4);
      await closing;
    });

    it('end as cancelled when their peer is away while the node closes', async () => {
      peer.join = () => new Promise(() => {});
      const { send, node } = start({ mode: 'joined', wait: '1h' });
      const ended = Promise.all([1, 2, 3, 4, 5].map((payload) => failureOf(send({ payload }))));
      await clock.advance(10);
      const closing = node.close();
      await clock.advance(6100);
      await closing;
      assert.deepEqual(
        (await ended).map((one) => one.kind),
        Array<string>(5).fill('cancelled'),
      );
    });

    it('are bounded in number', async () => {
      peer.join = () => new Promise(() => {});
      const { send } = start({ mode: 'joined' }, { queueLength: 50 });
      const ended = Array.from({ length: 100 }, (_, i) => failureOf(send({ payload: i })));
      await clock.advance(10);
      assert.equal(counts()[2], 50);
      assert.equal((await ended.at(-1))?.code, 'BULKHEAD_FULL');
    });
  });

  it('accounts for every message, whatever becomes of it', async () => {
    const { send, node } = start();
    const outcomes: (() => Promise<Result>)[] = [
      () => Promise.resolve({ payload: 1 }),
      () => Promise.resolve(undefined),
      () => Promise.resolve(peer.parts(false)),
      () => Promise.resolve(peer.parts(true)),
      () => Promise.reject(new Error('bad')),
      () => Promise.reject(new Error('gone')),
      () => new Promise(() => {}),
    ];
    peer.answer = (msg) => outcomes[Number(msg.i)]?.() ?? Promise.resolve({});
    const all = outcomes.map((_, i) =>
      send({ _msgid: `m${i}`, i }).then(
        () => 'out',
        (error: unknown) => (isFailure(error) ? error.kind : String(error)),
      ),
    );
    all.push(
      send({ mode: 'none' }).then(
        () => 'out',
        (error: unknown) => (isFailure(error) ? error.kind : String(error)),
      ),
    );
    await clock.advance(10);
    const closing = node.close();
    const meters = counts();
    await clock.advance(7000);
    await closing;
    const ended = await Promise.all(all);
    assert.equal(ended.length, meters[0]);
    assert.equal((meters[1] ?? 0) + (meters[2] ?? 0) + (meters[3] ?? 0) + (meters[4] ?? 0), meters[0]);
    assert.ok(ended.includes('cancelled') && ended.includes('rejected') && ended.includes('out'));
  });
});
