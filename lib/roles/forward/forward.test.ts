import assert from 'node:assert/strict';
import type { Failure } from '../../core';
import { decodeMessage } from '../../queue/codec';
import { failureOf } from '../../../test/helpers/failure-of';
import { Bench, busy, conserved, message, refused } from './bench.test';

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('store and forward', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await new Bench().begin();
  });
  afterEach(() => bench.end());

  it('goes straight to a peer that answers, and stores nothing', async () => {
    const { send, reports, meter } = bench.node();
    const [out] = await send(message('a'));
    assert.equal(out?.answered, true);
    assert.equal('delivery' in (out ?? {}), false);
    assert.deepEqual(reports(), []);
    assert.equal(meter().counters.out, 1);
  });

  it('is done once stored, and delivers in order when the peer is back', async () => {
    bench.up = false;
    const { send, reports, recorded, meter } = bench.node();
    const sends = numbers(20).map((n) => send(message(n)));
    await bench.clock.advance(30_000);
    for (const one of sends) assert.deepEqual(await one, []);
    assert.equal(meter().queued, 20);
    assert.ok(recorded.statuses.at(-1)?.text.endsWith('20 stored'), recorded.statuses.at(-1)?.text);
    bench.up = true;
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.taken, numbers(20));
    const results = recorded.sent.filter(({ output }) => output === 0).map(({ msg }) => msg);
    assert.deepEqual(
      results.map(({ payload }) => payload),
      numbers(20),
    );
    assert.equal((results[0]?.delivery as { event: string }).event, 'delivered');
    assert.deepEqual(
      reports().filter((line) => line.startsWith('delivered')),
      numbers(20).map((n) => `delivered ${n}`),
    );
    assert.equal(reports().filter((line) => line.startsWith('stored')).length, 20);
    assert.equal(meter().queued, 0);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('keeps the order when messages arrive faster than the peer takes them', async () => {
    bench.answer = () => new Promise((resolve) => void bench.clock.timer(5, resolve));
    const { send, meter } = bench.node();
    const sends = numbers(200).map((n) => send(message(n)));
    await bench.clock.advance(5000);
    await Promise.all(sends);
    assert.deepEqual(bench.taken, numbers(200));
    assert.equal(bench.mostRunning, 1);
    assert.equal(meter().counters.out, 200);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('delivers the message that was under way before those that were stored behind it', async () => {
    let fail = true;
    bench.answer = async () => {
      await new Promise<void>((resolve) => void bench.clock.timer(100, resolve));
      if (fail) throw busy();
    };
    const { send } = bench.node();
    const first = send(message('first'));
    const second = send(message('second'));
    await bench.clock.advance(100);
    fail = false;
    await bench.clock.advance(20_000);
    await Promise.all([first, second]);
    assert.deepEqual(bench.taken, ['first', 'second']);
  });

  it('does not deliver twice what was stored while it was under way', async () => {
    bench.answer = () => new Promise((resolve) => void bench.clock.timer(100, resolve));
    const { send, meter } = bench.node();
    const all = Promise.all([send(message(1)), send(message(2))]);
    await bench.clock.advance(1000);
    await all;
    assert.deepEqual(bench.taken, [1, 2]);
    assert.equal(meter().counters.out, 2);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('makes a dead letter of what the peer refuses, with its reason, and goes on', async () => {
    bench.answer = (body) => {
      if (body === 'bad') throw refused();
    };
    const { send, reports, meter } = bench.node();
    await send(message('bad', { topic: 't', idempotencyKey: 'key-1' }));
    await send(message('good'));
    assert.deepEqual(bench.taken, ['good']);
    const [letter] = await bench.letters();
    assert.equal(letter?.code, 'PEER_REJECTED');
    assert.equal(letter.id, 'key-1');
    assert.equal(letter.source.type, 'holdfast-peer');
    assert.deepEqual(decodeMessage(letter.body), { payload: 'bad', topic: 't', idempotencyKey: 'key-1' });
    assert.deepEqual(reports(), ['dead bad']);
    assert.equal(meter().counters.dead, 1);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('makes a dead letter of a stored message that the peer refuses, and goes on', async () => {
    bench.up = false;
    bench.answer = (body) => {
      if (body === 1) throw refused();
    };
    const { send, meter } = bench.node();
    const sends = numbers(3).map((n) => send(message(n)));
    await bench.clock.advance(30_000);
    await Promise.all(sends);
    bench.up = true;
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.taken, [0, 2]);
    const letters = await bench.letters();
    assert.deepEqual(
      letters.map(({ code }) => code),
      ['PEER_REJECTED'],
    );
    assert.equal(meter().counters.dead, 1);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('keeps why a message was stored in the history of its attempts', async () => {
    bench.answer = (body) => {
      throw body === 'x' && bench.mostRunning > 0 && !bench.taken.includes('seen') ? busy() : refused();
    };
    const { send } = bench.node();
    const sent = send(message('x'));
    await bench.clock.advance(1);
    bench.taken.push('seen');
    await bench.clock.advance(60_000);
    await sent;
    const [letter] = await bench.letters();
    assert.equal(letter?.history[0]?.code, 'PEER_ERROR');
    assert.equal(letter.history.at(-1)?.code, 'PEER_REJECTED');
  });

  it('gives up a message that the peer turns down too often, and goes on', async () => {
    bench.answer = (body) => {
      if (body === 'poison') throw busy();
    };
    const { send } = bench.node({ storeDeliveries: 3 }, { breakerMode: 'off' });
    const sends = [send(message('poison')), send(message('next'))];
    await bench.clock.advance(120_000);
    await Promise.all(sends);
    assert.deepEqual(bench.taken, ['next']);
    const [letter] = await bench.letters();
    assert.equal(letter?.code, 'DELIVERIES_EXHAUSTED');
    assert.match(letter.message, /3 times.*busy/);
  });

  it('holds back only the line of a message that fails by itself', async () => {
    let stuck = true;
    bench.answer = (body) => {
      if (stuck && String(body).startsWith('a')) throw busy();
    };
    const { send } = bench.node({ keepOrder: 'key' }, { breakerMode: 'off' });
    const sends = ['a1', 'b1', 'a2', 'b2'].map((body) => send(message(body, { topic: body[0] })));
    await bench.clock.advance(3000);
    await Promise.all(sends);
    assert.deepEqual(bench.taken, ['b1', 'b2']);
    stuck = false;
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.taken, ['b1', 'b2', 'a1', 'a2']);
  });

  it('never repeats a call that may have been carried out', async () => {
    bench.answer = () => new Promise(() => {});
    const { send, reports } = bench.node({ timeout: '100ms' });
    const sent = send(message('valve', { mode: 'once' }));
    await bench.clock.advance(1000);
    await sent;
    bench.answer = () => {};
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.taken, []);
    assert.deepEqual(reports(), ['dead valve']);
    assert.equal((await bench.letters())[0]?.code, 'OUTCOME_UNKNOWN');
  });

  it('lets reads fail as they are', async () => {
    bench.up = false;
    const { send } = bench.node();
    const failure = failureOf(send(message('read', { mode: 'safe' })));
    await bench.clock.advance(60_000);
    assert.equal((await failure).kind, 'disconnected');
  });

  it('says both reasons when a message can be neither delivered nor stored', async () => {
    bench.up = false;
    const { send, meter } = bench.node();
    const failure = failureOf(send(message('x', { res: () => 1 })));
    await bench.clock.advance(60_000);
    assert.match((await failure).message, /not stored either.*msg\.res/);
    assert.equal(meter().counters.failed, 1);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('lets messages fail when the store is full, by its policy', async () => {
    bench.up = false;
    const { send, meter } = bench.node({ storeRecords: 2 });
    const results = numbers(3).map((n) =>
      send(message(n)).then(
        () => 'stored',
        (error: unknown) => (error as Failure).code,
      ),
    );
    await bench.clock.advance(60_000);
    assert.deepEqual(await Promise.all(results), ['stored', 'stored', 'QUEUE_FULL']);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  for (const storeFull of ['dropOldest', 'dropNewest']) {
    it(`counts what a full store drops (${storeFull})`, async () => {
      bench.up = false;
      const { send, meter } = bench.node({ storeRecords: 2, storeFull });
      const sends = numbers(5).map((n) => send(message(n)));
      await bench.clock.advance(60_000);
      await Promise.all(sends);
      assert.equal(meter().counters.droppedFull, 3);
      assert.equal(meter().queued, 2);
      assert.ok(conserved(meter()), JSON.stringify(meter()));
      bench.up = true;
      await bench.clock.advance(60_000);
      assert.deepEqual(bench.taken, storeFull === 'dropOldest' ? [3, 4] : [0, 1]);
      assert.ok(conserved(meter()), JSON.stringify(meter()));
    });
  }

  it('stores every message first when asked to', async () => {
    const { send, reports } = bench.node({ storeWhen: 'always' });
    await send(message(1));
    await bench.clock.advance(10);
    assert.deepEqual(bench.taken, [1]);
    assert.deepEqual(reports(), ['stored 1', 'delivered 1']);
  });

  it('joins stored messages into one call where the node can', async () => {
    bench.up = false;
    const { send } = bench.node({}, {}, true);
    const sends = numbers(30).map((n) => send(message(n)));
    await bench.clock.advance(60_000);
    await Promise.all(sends);
    bench.joined.length = 0;
    bench.up = true;
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.taken, numbers(30));
    assert.deepEqual(bench.joined, [10, 10, 10]);
  });

  it('keeps idempotency keys from the first attempt to the last', async () => {
    const keys = new Set<string>();
    bench.answer = (_body, key) => {
      keys.add(key);
      if (keys.size === 1 && bench.keys.length === 0 && !bench.taken.includes('tried')) {
        bench.taken.push('tried');
        throw busy();
      }
    };
    const { send } = bench.node();
    const sent = send(message(1));
    await bench.clock.advance(60_000);
    await sent;
    assert.equal(keys.size, 1);
    assert.deepEqual(bench.keys, [...keys]);
  });
});

describe('store and forward: restarts', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await new Bench().begin();
  });
  afterEach(() => bench.end());

  it('stores what a stop interrupts, and delivers it after the next start, before anything new', async () => {
    bench.answer = () => new Promise(() => {});
    const { send } = bench.node({ timeout: '1h' });
    const sends = [send(message(1)), send(message(2))];
    await bench.clock.advance(10);
    await bench.restart();
    await Promise.all(sends);
    bench.answer = () => {};
    const again = bench.node();
    await again.send(message(3));
    await bench.clock.advance(30_000);
    assert.deepEqual(bench.taken, [1, 2, 3]);
    assert.ok(conserved(again.meter()), JSON.stringify(again.meter()));
  });

  it('makes a dead letter of a call that a stop interrupts and that must not be repeated', async () => {
    bench.answer = () => new Promise(() => {});
    const { send } = bench.node({ timeout: '1h' });
    const sent = send(message('valve', { mode: 'once' }));
    await bench.clock.advance(10);
    await bench.restart();
    await sent;
    assert.equal((await bench.letters())[0]?.code, 'OUTCOME_UNKNOWN');
  });

  it('delivers a replayed dead letter with the same key', async () => {
    let refuse = true;
    bench.answer = () => {
      if (refuse) throw refused();
    };
    const { send, meter } = bench.node({ undelivered: 'deadLetter' });
    await send(message('x', { idempotencyKey: 'k' }));
    refuse = false;
    assert.equal(await bench.store.dead?.replay({}), 1);
    await bench.clock.advance(1000);
    assert.deepEqual(bench.taken, ['x']);
    assert.deepEqual(bench.keys, ['k']);
    assert.deepEqual(await bench.letters(), []);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('makes a dead letter again of a replay that fails again', async () => {
    bench.answer = () => {
      throw busy();
    };
    const { send } = bench.node({ undelivered: 'deadLetter' });
    await send(message('x', { idempotencyKey: 'k' }));
    await bench.store.dead?.replay({});
    await bench.clock.advance(1000);
    const letters = await bench.letters();
    assert.deepEqual(
      letters.map(({ id, code, history }) => [id, code, history.length]),
      [['k', 'PEER_ERROR', 2]],
    );
  });
});
