import assert from 'node:assert/strict';
import { isFailure, type Message } from '../../lib/core';
import type { LedgerEntry } from './ledger';
import { Bench, configOf, failureOf, HOUR, MINUTE, row } from './support.test';
import { trigger } from './trigger';

describe('schedule', () => {
  it('sends each row at its time, with payload, topic and reason', async () => {
    const bench = await new Bench().start({
      schedules: [
        row('quarter', '*/15 * * * *', { payload: '{"a":1}', payloadType: 'json', topic: 'line/1' }),
        row('ten', '10m', { payload: '', payloadType: 'date' }),
        row('six', '5 0 0 * * *'),
      ],
    });
    await bench.clock.advance(30 * MINUTE);
    assert.deepEqual(
      bench.runs.map((one) => `${one.name} ${one.due.slice(11, 19)} ${one.reason} ${one.late}`),
      [
        'six 00:00:05 schedule 0',
        'ten 00:10:00 schedule 0',
        'quarter 00:15:00 schedule 0',
        'ten 00:20:00 schedule 0',
        'quarter 00:30:00 schedule 0',
        'ten 00:30:00 schedule 0',
      ],
    );
    const [six, ten, quarter] = bench.sent.filter(({ output }) => output === 0).map(({ msg }) => msg);
    assert.deepEqual([six?.topic, six?.payload], ['six', 'six']);
    assert.equal(ten?.payload, Date.UTC(2026, 0, 1, 0, 10));
    assert.deepEqual([quarter?.topic, quarter?.payload], ['line/1', { a: 1 }]);
    assert.equal(bench.note, 'Thu 00:40:00 ten');
    await bench.stop();
  });

  it('names every bad row at once, by its field', () => {
    const raw = {
      timeZone: 'Mars/Olympus',
      schedules: [
        row('a', '0 0 30 2 *'),
        row('b', '5 x'),
        row('c', '5 parsecs', { kind: 'interval' }),
        row('run', '@hourly'),
        row('ok', '@daily'),
      ],
    };
    const failure = failureOf(() => trigger.prepare?.(configOf(raw)));
    assert.equal(failure.kind, 'config');
    const problems = failure.details['problems'] as string[];
    assert.equal(problems.length, 5);
    assert.match(problems[0] ?? '', /^Time zone "Mars\/Olympus": this is no IANA time zone/);
    assert.match(
      problems[1] ?? '',
      /^Schedules, row 1 \(a\), When: "0 0 30 2 \*" .*no month in it has such a day/,
    );
    assert.match(problems[2] ?? '', /^Schedules, row 2 \(b\), When: "5 x" is no cron expression/);
    assert.match(problems[3] ?? '', /^Schedules, row 3 \(c\), When: "5 parsecs" is no interval/);
    assert.match(problems[4] ?? '', /^Schedules, row 4 \(run\), Name: this word is a command/);
  });

  it('spreads runs by jitter, in order and never beyond the next one', async () => {
    const bench = new Bench();
    bench.random = () => 0.999;
    await bench.start({ schedules: [row('tick', '*/10 * * * *')], jitter: '1h' });
    await bench.clock.advance(30 * MINUTE);
    assert.deepEqual(bench.times, ['01-01T00:10', '01-01T00:20']);
    const late = bench.runs[0]?.late ?? 0;
    assert.ok(late > 9.9 * MINUTE && late < 10 * MINUTE, String(late));
    assert.deepEqual(bench.skipped, []);
    await bench.stop();
  });

  it('runs on deploy, once each', async () => {
    const bench = await new Bench().start({
      schedules: [row('a', '@hourly'), row('b', '@daily')],
      runOnDeploy: true,
    });
    await bench.clock.advance(MINUTE);
    assert.deepEqual(
      bench.runs.map(({ name, reason }) => [name, reason]),
      [
        ['a', 'deploy'],
        ['b', 'deploy'],
      ],
    );
    await bench.stop();
  });

  describe('commands', () => {
    const schedules = [row('a', '@hourly'), row('b', '@hourly')];

    it('runs now by payload, by topic and by command', async () => {
      const bench = await new Bench().start({ schedules });
      for (const msg of [
        { payload: 'a' },
        { topic: 'b', payload: 1 },
        { topic: 'run', payload: ['a', 'b'] },
        { topic: 'run' },
      ]) {
        await bench.send(msg);
      }
      assert.equal(bench.runs.map(({ name }) => name).join(''), 'ab' + 'ab' + 'ab');
      assert.ok(bench.runs.every(({ reason, late }) => reason === 'message' && late === 0));
      await bench.stop();
      const single = await new Bench().start({ schedules: [row('only', '@hourly')] });
      await single.send({ topic: '', payload: 1_700_000_000_000 });
      assert.equal(single.runs.length, 1, 'a plain inject runs the only schedule');
      await single.stop();
    });

    it('pauses and resumes, also over a restart, and accounts for what it leaves out', async () => {
      const bench = await new Bench().start({ schedules, missed: 'all' });
      await bench.send({ topic: 'pause', payload: 'a' });
      await bench.clock.advance(2 * HOUR);
      assert.deepEqual(new Set(bench.runs.map(({ name }) => name)), new Set(['b']));
      assert.deepEqual(bench.skipped, ['paused 1', 'paused 1']);
      const again = await bench.outage(1000, { schedules, missed: 'all' });
      await again.clock.advance(HOUR);
      assert.equal(again.runs.length, 1);
      await again.send({ topic: 'pause' });
      assert.equal(again.note, 'paused');
      await again.send({ topic: 'resume' });
      await again.clock.advance(HOUR);
      assert.equal(again.runs.length, 3);
      await again.stop();
    });

    it('answers with the ledger, bounded', async () => {
      const bench = await new Bench().start({ schedules, ledgerSize: 3 });
      await bench.clock.advance(5 * HOUR);
      await bench.send({ topic: 'ledger' });
      const answer = bench.sent.at(-1);
      assert.equal(answer?.output, 1);
      const { schedules: list, entries } = answer.msg.payload as {
        schedules: object[];
        entries: LedgerEntry[];
      };
      assert.deepEqual(list[0], {
        name: 'a',
        next: '2026-01-01T06:00:00.000Z',
        paused: false,
        lastRun: '2026-01-01T05:00:00.000Z',
      });
      assert.deepEqual(
        entries.map(({ name, due, decision }) => `${name} ${due.slice(11, 16)} ${decision}`),
        ['b 04:00 ran', 'a 05:00 ran', 'b 05:00 ran'],
      );
      await bench.stop();
    });

    it('refuses a message that names nothing, with the names it knows', async () => {
      const bench = await new Bench().start({ schedules });
      const refused = (msg: Message, sentence: RegExp): Promise<void> =>
        assert.rejects(bench.send(msg), (error) => {
          assert.ok(isFailure(error));
          assert.deepEqual([error.kind, error.code], ['rejected', 'BAD_MESSAGE']);
          assert.match(error.message, sentence);
          return true;
        });
      await refused({ payload: 'c' }, /No schedule is called "c"\. Known are "a", "b"\./);
      await refused({ topic: 'pause', payload: ['a', 'x'] }, /No schedule is called "x"/);
      await refused({ payload: 17 }, /names no schedule.*"a", "b".*"run", "pause", "resume", "ledger"/);
      assert.deepEqual(bench.runs, []);
      await bench.stop();
    });
  });
});
