import assert from 'node:assert/strict';
import { Scope } from '../../lib/core';
import { settle } from '../../test/helpers/virtual-clock';
import { away, seconds, Site, type Gateway } from './gateways.test';
import { row } from './support.test';

const SECOND = 1000;
const everySecond = { schedules: [row('tick', '* * * * * *')], leaseTime: '10s' };

const interval = { schedules: [row('tick', '1s')], leaseTime: '10s' };

describe('schedule: on several gateways', () => {
  let site: Site;
  const two = async (raw: object = everySecond, skewA = 0, skewB = 0): Promise<[Gateway, Gateway]> => {
    site = new Site(raw);
    const a = await site.gateway('a', skewA);
    await site.clock.advance(200);
    return [a, await site.gateway('b', skewB)];
  };
  const pass = (ms: number): Promise<void> => site.clock.advance(ms);
  const once = (from: number, to: number): void => {
    assert.deepEqual(site.dues.toSorted(), seconds(from, to));
  };
  afterEach(() => site.close());

  it('runs on one, which says so, and stands by on the other', async () => {
    const [a, b] = await two();
    await pass(20 * SECOND);
    once(1, 20);
    assert.equal(b.runs.length, 0);
    assert.deepEqual([a.note.slice(0, 8), a.level, b.note, b.level], ['leader, ', 'good', 'standby', 'good']);
    assert.deepEqual([a.told, b.told], [['leader lease'], ['standby elsewhere']]);
    assert.ok(a.runs.every(({ fence }) => fence === a.runs[0]?.fence && Number.isInteger(fence)));
  });

  it('goes on elsewhere at once when the leader is stopped', async () => {
    const [a, b] = await two({ ...everySecond, missed: 'none' });
    await pass(5300);
    await a.stop();
    await pass(0);
    assert.match(b.note, /^leader, /);
    await pass(5 * SECOND);
    once(1, 10);
    assert.ok(b.runs.every(({ fence }) => (fence ?? 0) > (a.runs[0]?.fence ?? Infinity)));
    assert.deepEqual(b.told, ['standby elsewhere', 'leader lease']);
  });

  for (const [skewA, skewB] of [
    [0, 0],
    [3000, 0],
    [-3000, 0],
    [2500, -2500],
    [-2500, 2500],
  ] as const) {
    it(`makes up what a killed leader left, each slot once (clocks wrong by ${skewA} and ${skewB} ms)`, async () => {
      const [a, b] = await two(everySecond, skewA, skewB);
      await pass(20 * SECOND);
      const last = a.runs.at(-1)?.due ?? '';
      a.kill();
      await pass(40 * SECOND);
      assert.match(b.note, /^leader, /);
      const all = site.dues;
      assert.equal(new Set(all).size, all.length, 'a slot ran twice');
      const first = a.runs[0]?.due.slice(17, 19);
      const from = Number(first);
      // The first look of a clock that was behind is in the day before.
      const sorted = [...a.runs, ...b.runs].map(({ due }) => Date.parse(due)).toSorted((x, y) => x - y);
      sorted.forEach((due, i) => assert.equal(due, (sorted[0] ?? 0) + i * SECOND, `after ${from} s`));
      assert.ok((b.runs[0]?.due ?? '') > last);
      assert.ok((b.runs.at(-1)?.due ?? '') >= new Date(b.clock.now() - SECOND).toISOString());
    });
  }

  it('follows the policy for missed runs at a takeover', async () => {
    const [a, b] = await two({ ...everySecond, missed: 'none' });
    await pass(5 * SECOND);
    a.kill();
    await pass(30 * SECOND);
    assert.equal(new Set(site.dues).size, site.dues.length);
    const skip = b.ledger.find(({ decision }) => decision === 'skipped');
    assert.equal(skip?.reason, 'takeover');
    assert.equal(skip?.due.slice(11, 19), '00:00:06');
    assert.equal(a.runs.length + b.runs.length + (skip?.count ?? 0), 35);
  });

  it('does not run what a frozen leader finds when it wakes up', async () => {
    const [a, b] = await two();
    await pass(5500);
    a.clock.freeze();
    await pass(30 * SECOND);
    const before = a.runs.length;
    a.clock.thaw();
    await pass(10 * SECOND);
    once(1, 45);
    assert.equal(a.runs.length, before);
    assert.deepEqual([a.note, b.note.slice(0, 8)], ['standby', 'leader, ']);
  });

  it('does not run a slot whose claim was stuck until another one led', async () => {
    const [a, b] = await two();
    await pass(5500);
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    a.way.before = () => gate;
    await pass(1 * SECOND);
    a.clock.freeze();
    await pass(30 * SECOND);
    assert.ok(b.runs.length > 0);
    a.way.before = () => Promise.resolve();
    go();
    await settle();
    a.clock.thaw();
    await pass(10 * SECOND);
    once(1, 46);
    b.kill();
    await pass(30 * SECOND);
    once(1, 76);
  });

  it('runs nothing while nobody can be asked, says so, and makes it up', async () => {
    const [a, b] = await two();
    await pass(5500);
    a.way.cut();
    b.way.cut();
    await pass(60 * SECOND);
    assert.equal(site.dues.length, 5);
    assert.deepEqual([a.level, b.level], ['warn', 'warn']);
    assert.match(a.note, /cannot ask/);
    assert.equal(a.warnings.length, 1);
    assert.deepEqual(a.told, ['leader lease', 'standby unreachable']);
    assert.deepEqual(b.told, ['standby elsewhere', 'standby unreachable']);
    a.way.heal();
    b.way.heal();
    await pass(5 * SECOND);
    once(1, 70);
    assert.equal(a.told.at(-1), 'leader lease');
  });

  it('goes on elsewhere when only the leader lost the others', async () => {
    const [a, b] = await two();
    await pass(5500);
    a.way.cut();
    await pass(60 * SECOND);
    once(1, 65);
    assert.match(a.note, /cannot ask/);
    assert.match(b.note, /^leader, /);
    a.way.heal();
    await pass(20 * SECOND);
    once(1, 85);
    assert.equal(a.note, 'standby');
  });

  it('lets intervals follow the leader until its lease could have run out, and not longer', async () => {
    const [a, b] = await two(interval);
    await pass(10 * SECOND);
    a.way.cut();
    b.way.cut();
    await pass(30 * SECOND);
    const last = Date.parse(a.runs.at(-1)?.due ?? '') - Date.UTC(2026, 0, 1);
    assert.ok(last > 10 * SECOND && last <= 20 * SECOND, `last at ${last}`);
    assert.equal(b.runs.length, 0);
    a.way.heal();
    b.way.heal();
    await pass(10 * SECOND);
    once(1, 50);
  });

  it('runs alone after a while where the settings say so, and stops when others answer', async () => {
    const alone = { ...everySecond, whenUnreachable: 'alone', aloneAfter: '30s' };
    const [a, b] = await two(alone);
    await pass(5500);
    b.way.cut();
    await pass(20 * SECOND);
    assert.equal(b.runs.length, 0);
    await pass(20 * SECOND);
    assert.match(b.note, /^runs alone, /);
    assert.equal(b.level, 'warn');
    assert.ok(b.runs.length > 5);
    assert.ok(b.runs.every(({ fence }) => fence === undefined));
    assert.deepEqual(b.told.slice(0, 3), ['standby elsewhere', 'standby unreachable', 'leader alone']);
    b.way.heal();
    await pass(1 * SECOND);
    const ran = b.runs.length;
    await pass(10 * SECOND);
    assert.equal(b.runs.length, ran);
    assert.equal(b.note, 'standby');
    assert.equal(a.runs.length, 56);
  });

  it('runs what it claimed when only the answer was lost', async () => {
    const [a] = await two();
    await pass(5500);
    a.way.after = () => Promise.reject(away());
    await pass(1 * SECOND);
    assert.equal(site.dues.length, 5);
    a.way.after = () => Promise.resolve();
    await pass(5 * SECOND);
    once(1, 11);
  });

  it('leaves to the next one what it had claimed and could not start before it was stopped', async () => {
    const [a, b] = await two();
    await pass(5500);
    const gate = new Promise<void>(() => {});
    a.way.after = () => gate;
    await pass(1 * SECOND);
    await a.stop();
    await pass(5 * SECOND);
    once(1, 11);
    assert.equal(b.runs[0]?.due.slice(17, 19), '06');
  });

  it('counts the time of its lease itself, less a margin', async () => {
    site = new Site(interval);
    // The store never says that it is lost.
    const a = await site.gateway('a', 0, {}, new Scope());
    await pass(10_500);
    a.way.cut();
    await pass(60 * SECOND);
    const last = Date.parse(a.runs.at(-1)?.due ?? '') - Date.UTC(2026, 0, 1);
    assert.ok(last >= 12 * SECOND && last <= 19 * SECOND, `last at ${last}`);
  });

  it('stops when the store says that its lease is lost', async () => {
    site = new Site({ schedules: [row('tick', '1s')], leaseTime: '1h' });
    const lost = new Scope();
    const a = await site.gateway('a', 0, {}, lost);
    await pass(5500);
    lost.abort(away());
    await pass(60 * SECOND);
    assert.equal(a.runs.length, 5);
  });

  it('does not run after a sleep that its monotonic clock did not count', async () => {
    site = new Site(interval);
    const a = await site.gateway('a', 0, {}, new Scope());
    await pass(200);
    const b = await site.gateway('b');
    await pass(5500);
    const before = a.runs.length;
    a.clock.freeze();
    await pass(30 * SECOND);
    assert.ok(b.runs.length > 10);
    a.clock.slept = 30 * SECOND;
    a.clock.thaw();
    await pass(5 * SECOND);
    assert.equal(a.runs.length, before);
    assert.equal(a.note, 'standby');
  });

  it('goes on leading when its wall clock is set forward', async () => {
    const [a] = await two({ ...everySecond, missed: 'none' });
    await pass(5500);
    a.clock.skew = 3_600_000;
    await pass(2 * SECOND);
    assert.match(a.note, /^leader, /);
    assert.equal(a.runs.at(-1)?.due.slice(11, 17), '01:00:');
    assert.deepEqual(a.told, ['leader lease', 'skipped clockForward']);
  });

  it('takes over from a clock that was ahead without a word about the time in between', async () => {
    const [a, b] = await two(everySecond, 4000);
    await pass(6 * SECOND);
    await a.stop();
    await pass(20 * SECOND);
    assert.equal(new Set(site.dues).size, site.dues.length);
    const dues = [...a.runs, ...b.runs].map(({ due }) => Date.parse(due));
    dues.forEach((due, i) => assert.equal(due, (dues[0] ?? 0) + i * SECOND));
    assert.equal(b.runs.at(-1)?.due.slice(11, 19), '00:00:26');
    assert.deepEqual(b.told, ['standby elsewhere', 'leader lease']);
  });

  it('ignores what a leader wrote that had lost its lease', async () => {
    const [a, b] = await two();
    const c = await site.gateway('c', 0);
    await pass(5500);
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    a.way.before = () => gate;
    await pass(1 * SECOND);
    a.clock.freeze();
    await pass(30 * SECOND);
    // Of the two, one leads; it dies before it can write again.
    const [leader, other] = b.runs.length > 0 ? [b, c] : [c, b];
    leader.kill();
    go();
    await settle();
    a.kill();
    await pass(30 * SECOND);
    once(1, 66);
    assert.match(other.note, /^leader, /);
  });

  it('writes again what such a leader wrote over', async () => {
    const [a, b] = await two();
    await pass(5500);
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    a.way.before = () => gate;
    await pass(1 * SECOND);
    a.clock.freeze();
    await pass(30 * SECOND);
    go();
    await settle();
    a.kill();
    b.kill();
    const c = await site.gateway('c', 0);
    await pass(30 * SECOND);
    once(1, 66);
    assert.match(c.note, /^leader, /);
  });

  it('runs after an outage what it had claimed and not heard of', async () => {
    const [a, b] = await two();
    await pass(5500);
    b.way.cut();
    a.way.after = () => Promise.reject(away());
    await pass(1 * SECOND);
    a.way.cut();
    await pass(60 * SECOND);
    a.way.after = () => Promise.resolve();
    a.way.heal();
    await pass(10 * SECOND);
    once(1, 76);
  });

  it('tells what ran at least once an hour, so that it is not forgotten', async () => {
    site = new Site({ schedules: [row('yearly', '@yearly')], leaseTime: '1h' });
    await site.gateway('a');
    await pass(3 * SECOND);
    const key = 'schedule past n1';
    const first = (await site.cluster.shared.get(key))?.revision ?? 0;
    await pass(3 * 3_600_000);
    assert.ok(((await site.cluster.shared.get(key))?.revision ?? 0) >= first + 2);
  });

  it('ignores what is no past', async () => {
    const [a, b] = await two();
    for (const wrong of [
      null,
      1,
      'x',
      [],
      { by: 'x' },
      { by: 'x', fence: 1e9, jobs: [null, [1], ['x', null, [[2, 1]]], ['x']] },
    ]) {
      await site.cluster.shared.put('schedule past n1', wrong);
      await pass(2 * SECOND);
    }
    once(1, 12);
    a.kill();
    await site.cluster.shared.put('schedule past n1', { by: 3, jobs: 'many' });
    await pass(20 * SECOND);
    assert.match(b.note, /^leader, /);
  });

  it('obeys commands on the gateway that got them', async () => {
    const [a, b] = await two();
    await pass(2500);
    await b.send({ topic: 'run', payload: 'tick' });
    assert.deepEqual(
      b.runs.map(({ reason, fence }) => [reason, fence]),
      [['message', undefined]],
    );
    await a.send({ topic: 'pause', payload: 'tick' });
    await pass(3 * SECOND);
    assert.equal(a.runs.length, 2);
    assert.equal(b.runs.length, 1);
    await a.stop();
    await pass(2 * SECOND);
    assert.equal(b.runs.length, 3, 'the pause was that of the other gateway');
  });

  it('runs on deploy on the leader only', async () => {
    const [a, b] = await two({ ...everySecond, runOnDeploy: true });
    await pass(5 * SECOND);
    a.kill();
    await pass(30 * SECOND);
    const deploys = [a, b].map(({ runs }) => runs.filter(({ reason }) => reason === 'deploy').length);
    assert.deepEqual(deploys, [1, 0]);
  });

  it('shares the work in a group whose nodes have other ids', async () => {
    const [a] = await two({ ...everySecond, group: 'line 4' });
    await site.gateway('c', 0, { group: 'line 5' });
    await pass(3 * SECOND);
    assert.equal(a.runs.length, 3);
    assert.equal(site.dues.length, 6);
  });
});
