/** Dead letters: how they come, what they tell, how they return and how they are bounded. */
import assert from 'node:assert/strict';
import type { DeadFilter, DeadLetter, DeadLetters, Queue } from '../../lib/queue';
import { failureOf } from '../helpers/failure-of';
import { attempt, entry, eventually, fill, LEASE, leased, one, OWNER } from './bed';
import type { Now, Test } from './suite';

const ALL = { after: 0, limit: 100 };

export function deadTests(test: Test, now: Now): void {
  const dead = (): DeadLetters | undefined => now().store.dead;
  /** Makes a dead letter of each record in the queue. */
  const kill = async (queue: Queue, names: readonly string[], key = ''): Promise<void> => {
    await fill(queue, names, key);
    for (const { token, entry: got } of await leased(queue, names))
      assert.equal(await queue.deadLetter(token, { ...attempt(), code: `C_${got.id}` }), true);
  };
  const list = async (filter: DeadFilter, page = ALL): Promise<string[]> =>
    ((await dead()?.list(filter, page)) ?? []).map(({ id }) => id);

  test('moves a record to the dead letters, with all that is known of it', async () => {
    const queue = await now().queue();
    let died = 0;
    queue.listen({ died: (count) => (died += count) });
    await queue.put({ ...entry('a', 'k'), history: [attempt('before')] });
    const { token } = await one(queue);
    assert.equal(await queue.deadLetter(token, attempt('the end')), true);
    assert.equal(await queue.deadLetter(token, attempt()), false);
    await eventually(async () => {
      const { waiting, leased: out, dead: there, totals } = await queue.stats();
      assert.deepEqual([waiting, out, there, totals.died, died], [0, 0, 1, 1, 1]);
    });
    const letters = dead();
    if (!letters) return;
    const [letter] = await letters.list({ queue: queue.name }, ALL);
    assert.ok(letter);
    const { number, firstAt, lastAt, ...facts } = letter;
    assert.ok(number > 0 && firstAt <= lastAt);
    assert.deepEqual(facts, {
      queue: queue.name,
      id: 'a',
      key: 'k',
      time: 1_767_225_600_000,
      bytes: 9,
      attempts: 1,
      kind: 'transient',
      code: 'PEER_ERROR',
      message: 'the end',
      source: OWNER,
    });
    const detail = await letters.get(number);
    assert.equal(Buffer.from(detail?.body ?? []).toString(), 'body of a');
    assert.deepEqual(
      detail?.history.map(({ message }) => message),
      ['before', 'the end'],
    );
    assert.equal(await letters.get(number + 1_000_000), undefined);
  });

  test('names the node that failed, where the attempt does', async () => {
    const queue = await now().queue();
    await fill(queue, ['a']);
    const source = { node: 'n9', name: 'sender', type: 'holdfast-http', flow: 'Office' };
    await queue.deadLetter((await one(queue)).token, { ...attempt(), source });
    const [letter] = (await dead()?.list({ node: 'n9' }, ALL)) ?? [];
    if (dead()) assert.deepEqual(letter?.source, source);
  });

  test('replays to the end of the queue, with the same id, key, time and body', async () => {
    const queue = await now().queue();
    await kill(queue, ['a', 'b'], 'k');
    await fill(queue, ['c'], 'k');
    await eventually(async () => assert.equal((await queue.stats()).dead, 2));
    assert.equal(await queue.replay({ queue: queue.name }), 2);
    const found = await leased(queue, ['c', 'a', 'b']);
    assert.deepEqual(
      found.map((one) => [one.delivery, one.entry.key]),
      [
        [1, 'k'],
        [1, 'k'],
        [1, 'k'],
      ],
    );
    assert.equal(Buffer.from(found[1]?.entry.body ?? []).toString(), 'body of a');
    assert.equal(found[1]?.entry.time, 1_767_225_600_000);
    await eventually(async () => {
      const { dead: there, totals } = await queue.stats();
      assert.deepEqual([there, totals.put, totals.replayed, totals.died], [0, 5, 2, 2]);
    });
    assert.equal(await queue.replay({ queue: queue.name }), 0);
  });

  test('finds by every condition, all of them together, and page by page', async () => {
    const letters = dead();
    if (!letters) return;
    const [first, second] = [await now().queue(), await now().queue()];
    await kill(first, ['a', 'b'], 'k');
    await kill(second, ['c']);
    const [a] = await letters.list({ id: 'a' }, ALL);
    assert.ok(a);
    assert.deepEqual(await list({}), ['a', 'b', 'c']);
    assert.deepEqual(await list({ queue: second.name }), ['c']);
    assert.deepEqual(await list({ key: 'k' }), ['a', 'b']);
    assert.deepEqual(await list({ key: '' }), ['c']);
    assert.deepEqual(await list({ code: 'C_b' }), ['b']);
    assert.deepEqual(await list({ kind: 'auth' }), []);
    assert.deepEqual(await list({ node: OWNER.node, kind: 'transient' }), ['a', 'b', 'c']);
    assert.deepEqual(await list({ numbers: [a.number, a.number] }), ['a']);
    assert.deepEqual(await list({ numbers: [] }), []);
    assert.deepEqual(await list({ since: a.lastAt, before: a.lastAt }), []);
    assert.deepEqual(await list({ since: a.lastAt, before: a.lastAt + 1 }), ['a', 'b', 'c']);
    assert.deepEqual(await list({ key: 'k', id: 'c' }), []);
    assert.deepEqual(await list({}, { after: a.number, limit: 1 }), ['b']);
    assert.deepEqual(await list({}, { after: 0, limit: 0 }), []);
  });

  test('replays by filter, edited only one by one, and purges by filter', async () => {
    const letters = dead();
    if (!letters) return;
    const queue = await now().queue();
    await kill(queue, ['a', 'b', 'c']);
    const [a, b] = await letters.list({ queue: queue.name }, ALL);
    assert.ok(a && b);
    const body = Buffer.from('edited');
    assert.equal((await failureOf(letters.replay({}, body))).kind, 'rejected');
    assert.equal((await failureOf(letters.replay({ numbers: [a.number, b.number] }, body))).kind, 'rejected');
    assert.equal(await letters.replay({ numbers: [b.number] }, body), 1);
    const [found] = await leased(queue, ['b']);
    assert.equal(Buffer.from(found?.entry.body ?? []).toString(), 'edited');
    assert.equal(await letters.purge({ id: 'a' }), 1);
    assert.equal(await letters.purge({ id: 'a' }), 0);
    assert.deepEqual(await list({ queue: queue.name }), ['c']);
    assert.equal(await queue.replay({ id: 'nobody' }), 0);
  });

  test('takes a message that was in no queue, tells of it, and replays it to a queue that nobody opened', async () => {
    const letters = dead();
    if (!letters) return;
    const told: DeadLetter[] = [];
    const stop = letters.onAdded((letter) => told.push(letter));
    const name = now().name();
    const history = [attempt('one'), { ...attempt('two'), at: 1_767_225_600_999 }];
    const number = await letters.add(name, entry('x', 'k'), OWNER, history, 7);
    await eventually(() => assert.equal(told.length, 1));
    const [letter] = told;
    assert.deepEqual(
      [letter?.number, letter?.queue, letter?.attempts, letter?.firstAt, letter?.lastAt, letter?.message],
      [number, name, 7, 1_767_225_600_123, 1_767_225_600_999, 'two'],
    );
    stop();
    const second = await letters.add(name, entry('y'), OWNER, history, 1);
    assert.ok(second > number);
    assert.equal(await letters.replay({ queue: name }), 2);
    const queue = await now().queue({}, name);
    await leased(queue, ['x', 'y']);
    assert.equal(told.length, 1);
    const { put, replayed, died } = (await queue.stats()).totals;
    assert.deepEqual([put, replayed, died], [2, 2, 0]);
  });

  test('makes room by its oldest letters, and counts them', async () => {
    const letters = dead();
    if (!letters) return;
    await letters.limit({ maxRecords: 3, maxBytes: 0, maxAgeMs: 0 });
    const queue = await now().queue();
    await kill(queue, ['a', 'b', 'c', 'd', 'e']);
    await eventually(async () => assert.deepEqual(await list({}), ['c', 'd', 'e']));
    const before = await letters.stats();
    assert.deepEqual([before.records, before.dropped], [3, 2]);
    if (now().bed.bytes === 'stored') assert.ok(before.bytes >= 27);
    else assert.equal(before.bytes, 27);
    await letters.limit({ maxRecords: 0, maxBytes: before.bytes - 1, maxAgeMs: 0 });
    await eventually(async () => assert.deepEqual(await list({}), ['d', 'e']));
    assert.equal((await letters.stats()).dropped, 3);
  });

  test('forgets letters that are too old, by running time', async () => {
    const letters = dead();
    if (!letters || !now().bed.virtualTime) return;
    await letters.limit({ maxRecords: 0, maxBytes: 0, maxAgeMs: 1_000 });
    const queue = await now().queue();
    await kill(queue, ['a']);
    await now().pass(600);
    await kill(queue, ['b']);
    await now().pass(400);
    await eventually(async () => assert.deepEqual(await list({}), ['b']));
    assert.equal((await letters.stats()).dropped, 1);
  });

  test('keeps dead letters across a restart', async () => {
    if (!now().store.capabilities.durable) return;
    const before = await now().queue();
    await kill(before, ['a', 'b']);
    await now().reopen();
    const queue = await now().again(before);
    await eventually(async () => assert.equal((await queue.stats()).dead, 2));
    assert.equal(await queue.replay({}), 2);
    await leased(queue, ['a', 'b']);
    assert.deepEqual(await queue.lease(LEASE), []);
  });
}
