import assert from 'node:assert/strict';
import { isFailure, Scope, silentLog, type Failure, type Message, type StateStore } from '../../lib/core';
import type { TriggerContext } from '../../lib/roles';
import { parse, type ValuesOf } from '../../lib/spec';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import type { LedgerEntry } from './ledger';
import { trigger } from './trigger';

type F = typeof trigger.fields;
type P = ReturnType<NonNullable<typeof trigger.prepare>>;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

class MemoryStore implements StateStore {
  value: unknown;
  saves = 0;
  failing = false;
  load = (): Promise<unknown> =>
    this.failing ? Promise.reject(new Error('disk is gone')) : Promise.resolve(this.value);
  save = (value: unknown): Promise<void> => {
    if (this.failing) return Promise.reject(new Error('disk is full'));
    this.saves += 1;
    this.value = JSON.parse(JSON.stringify(value));
    return Promise.resolve();
  };
}

interface Fired {
  readonly name: string;
  readonly due: string;
  readonly fired: string;
  readonly late: number;
  readonly reason: string;
}

const row = (name: string, when: string, more: object = {}): object => ({
  name,
  kind: /^\d/.test(when) && !when.includes(' ') ? 'interval' : 'cron',
  when,
  payload: name,
  payloadType: 'str',
  ...more,
});

function configOf(raw: object): ValuesOf<F> {
  const parsed = parse(trigger.fields, { timeZone: 'UTC', ...raw });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.values as ValuesOf<F>;
}

function failureOf(fn: () => unknown): Failure {
  try {
    fn();
  } catch (error) {
    assert.ok(isFailure(error), String(error));
    return error;
  }
  throw new Error('It did not throw.');
}

class Bench {
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly sent: { readonly msg: Message; readonly output: number }[] = [];
  readonly warnings: string[] = [];
  note = '';
  random = (): number => 0;
  #stop: (() => void | Promise<void>) | undefined;
  #context: TriggerContext<F, undefined, P> | undefined;

  constructor(clock = new VirtualClock(), store = new MemoryStore()) {
    this.clock = clock;
    this.store = store;
  }

  async start(raw: object): Promise<this> {
    const config = configOf(raw);
    const { prepare, start } = trigger;
    assert.ok(prepare && start);
    this.#context = {
      config,
      session: undefined,
      prepared: prepare(config),
      scope: new Scope(),
      log: { ...silentLog, warn: (text) => void this.warnings.push(text) },
      clock: this.clock,
      random: () => this.random(),
      store: this.store,
      emit: (msg, output = 0) => void this.sent.push({ msg, output }),
      note: (text) => {
        this.note = text;
      },
    };
    this.#stop = await start(this.#context);
    return this;
  }

  async stop(): Promise<void> {
    await this.#stop?.();
    assert.equal(this.clock.pending, 0, 'a timer is left');
  }

  /** Stops, lets time pass, and starts again on what was stored. */
  async outage(ms: number, raw: object): Promise<Bench> {
    await this.stop();
    await this.clock.advance(ms);
    return new Bench(this.clock, this.store).start(raw);
  }

  async send(msg: Message): Promise<void> {
    assert.ok(this.#context && trigger.input);
    await trigger.input(msg, this.#context);
  }

  get runs(): Fired[] {
    return this.sent.filter(({ output }) => output === 0).map(({ msg }) => msg['schedule'] as Fired);
  }

  get times(): string[] {
    return this.runs.map(({ due }) => due.slice(5, 16));
  }

  get decisions(): LedgerEntry[] {
    const ledger = this.sent.filter(({ output, msg }) => output === 1 && msg.topic === 'decision');
    return ledger.map(({ msg }) => msg.payload as LedgerEntry);
  }

  get skipped(): string[] {
    return this.decisions
      .filter((one) => one.decision === 'skipped')
      .map((one) => `${one.reason} ${one.count ?? 1}`);
  }
}

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
