import assert from 'node:assert/strict';
import { Failure, type Message } from '../../lib/core';
import { localQueues, type LocalQueues } from '../../lib/queue/local';
import { openMemoryStore } from '../../lib/queue/memory/store';
import type { DeadLetters, QueueStore } from '../../lib/queue/types';
import { addDead } from '../../test/helpers/dead-letters';
import { failureOf } from '../../test/helpers/failure-of';
import { Harness, type Recorded } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { trigger } from './trigger';

describe('dead letters: through its role', () => {
  let clock: VirtualClock;
  let local: QueueStore;
  let dead: DeadLetters;
  let queues: LocalQueues;
  let opens: number;
  let closes: number;
  let harness: Harness;

  beforeEach(() => {
    clock = new VirtualClock();
    local = openMemoryStore({ clock });
    assert.ok(local.dead);
    dead = local.dead;
    opens = closes = 0;
    queues = localQueues(() => {
      opens += 1;
      return Promise.resolve({ ...local, dead, close: () => Promise.resolve(void (closes += 1)) });
    });
    harness = new Harness({ clock, queues });
  });
  afterEach(async () => {
    await harness.closeOn(clock);
    assert.equal(opens, closes, 'the store stays open');
    await local.close();
  });

  const answers = ({ sent }: Recorded): Message[] =>
    sent.filter(({ output }) => output === 1).map(({ msg }) => msg);

  it('tells of new letters, counts them, and obeys', async () => {
    const { node, recorded } = harness.trigger(trigger, undefined, {});
    await clock.advance(200);
    await addDead(dead, { id: 'a' });
    await addDead(dead, { id: 'b', code: 'EXPIRED' });
    await clock.advance(2000);
    assert.deepEqual(
      recorded.sent.map(({ output, msg }) => [output, (msg.payload as { id: string }).id]),
      [
        [0, 'a'],
        [0, 'b'],
      ],
    );
    assert.equal(recorded.statuses.at(-1)?.text, '2 dead letters');
    await node.input({ topic: 'list', payload: { code: 'EXPIRED' }, req: 7 });
    await node.input({ topic: 'replay', payload: 1 });
    await node.input({ topic: 'purge', payload: [2] });
    const [list, replay, purge] = answers(recorded);
    assert.deepEqual(
      (list?.payload as { letters: { id: string }[] }).letters.map(({ id }) => id),
      ['b'],
    );
    assert.equal(list?.['req'], 7);
    assert.deepEqual([replay?.payload, purge?.payload], [{ replayed: 1 }, { purged: 1 }]);
    await clock.advance(2000);
    assert.equal(recorded.statuses.at(-1)?.text, '0 dead letters');
    assert.deepEqual(recorded.failures, []);
  });

  it('refuses commands that it does not understand, and changes nothing', async () => {
    const { node } = harness.trigger(trigger, undefined, {});
    await clock.advance(200);
    await addDead(dead);
    for (const msg of [
      { payload: 1 },
      { topic: 'delete', payload: 1 },
      { topic: 'purge' },
      { topic: 'purge', payload: { que: 'x' } },
      { topic: 'purge', payload: 'all' },
      { topic: 'replay', payload: [] },
    ]) {
      assert.equal((await failureOf(node.input(msg))).code, 'BAD_MESSAGE', JSON.stringify(msg));
    }
    assert.equal((await failureOf(node.input({ topic: 'show', payload: 7 }))).code, 'DEAD_LETTER_UNKNOWN');
    assert.equal((await dead.stats()).records, 1);
  });

  it('bounds the store when told so', async () => {
    harness.trigger(trigger, undefined, { bounded: true, maxRecords: 2, maxMegabytes: 1, maxAge: '1d' });
    await clock.advance(200);
    for (const id of ['a', 'b', 'c']) await addDead(dead, { id });
    const { records, dropped } = await dead.stats();
    assert.deepEqual([records, dropped], [2, 1]);
  });

  it('gives the store back when it cannot begin', async () => {
    dead.limit = () => Promise.reject(new Error('disk full'));
    const { recorded } = harness.trigger(trigger, undefined, { bounded: true });
    await clock.advance(200);
    assert.ok(recorded.failures.length > 0);
    assert.deepEqual([opens, closes], [1, 1]);
  });

  it('says that the store cannot be opened, and works once it can be', async () => {
    let broken = true;
    const locked = new Failure('config', 'QUEUE_LOCKED', 'Another process uses the file.');
    const flaky = new Harness({
      clock,
      queues: { use: () => (broken ? Promise.reject(locked) : queues.use()) },
    });
    const { node, recorded } = flaky.trigger(trigger, undefined, {});
    await clock.advance(10);
    assert.equal((await failureOf(node.input({ topic: 'list' }))).code, 'QUEUE_LOCKED');
    assert.ok(recorded.failures.length > 0);
    broken = false;
    await clock.advance(120_000);
    await node.input({ topic: 'list' });
    assert.equal(answers(recorded).length, 1);
    await flaky.closeOn(clock);
  });
});
