import assert from 'node:assert/strict';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { Bench, DAY, HOUR, MINUTE, row } from './support.test';

describe('schedule: policies', () => {
  describe('clock changes in Berlin', () => {
    const spring = Date.UTC(2026, 2, 28, 12) - Date.UTC(2026, 0, 1);
    const autumn = Date.UTC(2026, 9, 24, 12) - Date.UTC(2026, 0, 1);
    const schedules = [row('night', '30 2 * * *')];

    async function over(from: number, dst: string): Promise<Bench> {
      const clock = new VirtualClock();
      clock.jump(from);
      const bench = await new Bench(clock).start({ schedules, timeZone: 'Europe/Berlin', dst });
      await clock.advance(DAY);
      await bench.stop();
      return bench;
    }

    it('skip: the missing time does not run, the repeated one runs once', async () => {
      assert.deepEqual((await over(spring, 'skip')).times, []);
      assert.deepEqual((await over(spring, 'skip')).skipped, ['gap 1']);
      assert.deepEqual((await over(autumn, 'skip')).times, ['10-25T00:30']);
      assert.deepEqual((await over(autumn, 'skip')).skipped, ['repeat 1']);
    });

    it('once: the missing time runs right after the leap, the repeated one once', async () => {
      const bench = await over(spring, 'once');
      assert.deepEqual(bench.times, ['03-29T01:00']);
      assert.equal(bench.runs[0]?.reason, 'gap');
      assert.deepEqual((await over(autumn, 'once')).times, ['10-25T00:30']);
    });

    it('both: the repeated time runs twice', async () => {
      assert.deepEqual((await over(spring, 'both')).times, ['03-29T01:00']);
      assert.deepEqual((await over(autumn, 'both')).times, ['10-25T00:30', '10-25T01:30']);
    });
  });

  describe('missed runs', () => {
    const schedules = [row('hourly', '@hourly')];

    async function after(raw: object): Promise<Bench> {
      const before = await new Bench().start({ schedules, ...raw });
      await before.clock.advance(90 * MINUTE);
      assert.deepEqual(before.times, ['01-01T01:00']);
      const bench = await before.outage(5 * HOUR, { schedules, ...raw });
      await bench.clock.advance(HOUR);
      await bench.stop();
      return bench;
    }

    it('none: says what was skipped', async () => {
      const bench = await after({ missed: 'none' });
      assert.deepEqual(bench.times, ['01-01T07:00']);
      const [entry] = bench.decisions;
      assert.deepEqual(
        [entry?.reason, entry?.count, entry?.due, entry?.until],
        ['stopped', 5, '2026-01-01T02:00:00.000Z', '2026-01-01T06:00:00.000Z'],
      );
    });

    it('last, limited, all: makes up in order and says so', async () => {
      const last = await after({ missed: 'last' });
      assert.deepEqual(last.times, ['01-01T06:00', '01-01T07:00']);
      assert.equal(last.runs[0]?.reason, 'missed');
      assert.equal(last.runs[0]?.late, 30 * MINUTE + 100);
      assert.deepEqual(last.skipped, ['stopped 4']);
      const some = await after({ missed: 'limited', missedLimit: 2 });
      assert.deepEqual(some.times, ['01-01T05:00', '01-01T06:00', '01-01T07:00']);
      assert.deepEqual(some.skipped, ['stopped 3']);
      const all = await after({ missed: 'all' });
      assert.equal(all.times.length, 6);
      assert.deepEqual(all.skipped, []);
    });

    it('bounds "all", however long the outage and short the interval', async () => {
      const raw = { schedules: [row('fast', '1s')], missed: 'all', ledgerSize: 50 };
      const before = await new Bench().start(raw);
      await before.clock.advance(5000);
      const bench = await before.outage(365 * DAY, raw);
      await bench.clock.advance(100);
      assert.equal(bench.runs.length, 1000);
      assert.equal(bench.decisions[0]?.count, null);
      await bench.stop();
      assert.equal((bench.store.value as { ledger: unknown[] }).ledger.length, 50);
    });

    it('has no past for a new or changed schedule', async () => {
      const before = await new Bench().start({ schedules, missed: 'all' });
      await before.clock.advance(90 * MINUTE);
      const raw = { schedules: [row('hourly', '0 * * * *'), row('new', '@hourly')], missed: 'all' };
      const bench = await before.outage(5 * HOUR, raw);
      await bench.clock.advance(1000);
      assert.deepEqual(bench.runs, []);
      await bench.stop();
    });

    it('runs on and says so when the store fails, and survives a damaged document', async () => {
      const bench = new Bench();
      bench.store.failing = true;
      await bench.start({ schedules });
      await bench.clock.advance(3 * HOUR);
      assert.equal(bench.runs.length, 3);
      assert.equal(bench.warnings.length, 2, 'one for reading, one for all writing');
      await bench.stop();
      for (const damaged of ['x', { jobs: [{ name: 'hourly' }, null], ledger: [1] }, { jobs: 3 }]) {
        const other = new Bench();
        other.store.value = damaged;
        await other.start({ schedules });
        await other.clock.advance(HOUR);
        assert.equal(other.runs.length, 1);
        await other.stop();
      }
    });

    it('writes at most once in ten seconds, and always on stop', async () => {
      const bench = await new Bench().start({ schedules: [row('fast', '1s')] });
      await bench.clock.advance(60_000);
      assert.equal(bench.runs.length, 60);
      assert.ok(bench.store.saves <= 7, `${bench.store.saves} writes`);
      await bench.stop();
      const { jobs } = bench.store.value as { jobs: { lastRun: string }[] };
      assert.equal(jobs[0]?.lastRun, '2026-01-01T00:01:00.000Z');
    });
  });

  describe('a system clock that is set', () => {
    const schedules = [row('tick', '*/10 * * * *')];

    it('never repeats a run after it was set back, and goes on where it was', async () => {
      for (const back of [HOUR, DAY]) {
        const bench = await new Bench().start({ schedules });
        await bench.clock.advance(2 * DAY);
        const before = bench.runs.length;
        bench.clock.jump(-back);
        await bench.clock.advance(back);
        assert.deepEqual(bench.runs.length, before, 'nothing runs again');
        await bench.clock.advance(HOUR);
        assert.equal(bench.runs.length, before + 6);
        assert.equal(new Set(bench.times).size, bench.times.length);
        assert.match(bench.skipped[0] ?? '', /^clockBack/);
        await bench.stop();
      }
    });

    it('notices within a minute that it was set forward, and makes no storm', async () => {
      for (const forward of [HOUR, DAY]) {
        const bench = await new Bench().start({ schedules });
        await bench.clock.advance(25 * MINUTE);
        bench.clock.jump(forward);
        await bench.clock.advance(MINUTE);
        assert.deepEqual(bench.times, ['01-01T00:10', '01-01T00:20']);
        assert.deepEqual(bench.skipped, [`clockForward ${forward / (10 * MINUTE)}`]);
        await bench.clock.advance(5 * MINUTE);
        assert.equal(bench.runs.length, 3);
        await bench.stop();
      }
    });

    it('runs what it skipped by mistake when the clock comes back', async () => {
      const bench = await new Bench().start({ schedules });
      await bench.clock.advance(25 * MINUTE);
      bench.clock.jump(DAY);
      await bench.clock.advance(2 * MINUTE);
      bench.clock.jump(-DAY);
      await bench.clock.advance(30 * MINUTE);
      assert.deepEqual(bench.times, [
        '01-01T00:10',
        '01-01T00:20',
        '01-01T00:30',
        '01-01T00:40',
        '01-01T00:50',
      ]);
      await bench.stop();
    });

    it('treats 1970 as a clock that is not set yet', async () => {
      const raw = { schedules, missed: 'all' };
      const before = await new Bench().start(raw);
      await before.clock.advance(25 * MINUTE);
      await before.stop();
      // Power off for 30 minutes; the gateway has no battery and starts in 1970.
      before.clock.jump(30 * MINUTE - before.clock.now());
      const bench = await new Bench(before.clock, before.store).start(raw);
      await bench.clock.advance(5 * MINUTE);
      assert.equal(bench.runs.length, 0);
      bench.clock.jump(Date.UTC(2026, 0, 1, 1) - bench.clock.now());
      await bench.clock.advance(MINUTE);
      assert.deepEqual(bench.times, ['01-01T00:30', '01-01T00:40', '01-01T00:50', '01-01T01:00']);
      await bench.stop();

      const fresh = new Bench();
      fresh.clock.jump(-fresh.clock.now());
      await fresh.start(raw);
      await fresh.clock.advance(15 * MINUTE);
      assert.deepEqual(fresh.times, ['01-01T00:10'], 'in 1970');
      fresh.clock.jump(Date.UTC(2026, 0, 1, 12, 3));
      await fresh.clock.advance(30 * MINUTE);
      assert.deepEqual(fresh.times.slice(1), ['01-01T12:20', '01-01T12:30', '01-01T12:40']);
      await fresh.stop();
    });

    it('is not fooled by a restart during which the clock was set back', async () => {
      const before = await new Bench().start({ schedules, missed: 'all' });
      await before.clock.advance(2 * HOUR);
      await before.stop();
      before.clock.jump(-HOUR);
      const bench = await new Bench(before.clock, before.store).start({ schedules, missed: 'all' });
      await bench.clock.advance(70 * MINUTE);
      assert.deepEqual(bench.times, ['01-01T02:10']);
      await bench.stop();
    });
  });
});
