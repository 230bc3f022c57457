import assert from 'node:assert/strict';
import { CronTime } from 'cron';
import { nextWall, parseCron } from './cron-expression';
import { cronSlots, intervalSlots, overdueSlots, type Slot } from './slots';
import { Zone } from './zone';

const utc = (text: string): number => Date.parse(text);

function list(expression: string, zone: string, from: string, to: string): string[] {
  const slots = cronSlots(parseCron(expression), new Zone(zone));
  const found: string[] = [];
  let one: Slot | undefined = slots.next(utc(from));
  for (; one && one.due <= utc(to); one = slots.next(one.due)) {
    found.push(new Date(one.due).toISOString().slice(0, 16) + (one.dst ? ` ${one.dst}` : ''));
  }
  return found;
}

describe('schedule: times', () => {
  it('computes what the library computes where no clock changes', () => {
    const expressions = [
      '*/10 * * * *',
      '30 2 * * *',
      '0 0 29 2 *',
      '0 12 1,15 * mon',
      '*/7 3-5 * jan-mar fri',
      '15 30 8 * * 1-5',
      '0 0-22 * * *',
      '0 0 * * 0-5',
      '0 0 31 * *',
      '@hourly',
      '@weekly',
      '0 0 * * 7',
    ];
    for (const expression of expressions) {
      const library = new CronTime(expression, 'UTC');
      const fields = parseCron(expression);
      let at = utc('2026-01-30T23:58:59.500Z');
      for (let i = 0; i < 12; i += 1) {
        const ours = nextWall(fields, at);
        if (ours === undefined || ours > utc('2032-01-01T00:00Z')) break;
        const theirs = library.getNextDateFrom(new Date(at), 'UTC').toMillis();
        assert.equal(ours, theirs, `${expression} after ${new Date(at).toISOString()}`);
        at = ours;
      }
    }
  });

  it('refuses what can never run and what is not an expression', () => {
    assert.throws(() => parseCron('0 0 30 2 *'), /no month in it has such a day/);
    assert.throws(() => parseCron('0 0 31 4,6 *'), /no month in it has such a day/);
    assert.throws(() => parseCron('61 * * * *'), /out of range/);
    assert.throws(() => parseCron('* * *'), /Too few fields/);
    assert.doesNotThrow(() => parseCron('0 0 30 2 mon'));
    assert.equal(nextWall(parseCron('0 0 29 2 *'), utc('2096-03-01T00:00Z')), utc('2104-02-29T00:00Z'));
  });

  it('names the hour that Berlin leaps over, once, at the leap', () => {
    assert.deepEqual(list('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', '2026-03-30T12:00Z'), [
      '2026-03-29T01:00 gap',
      '2026-03-30T00:30',
    ]);
    assert.deepEqual(list('*/20 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', '2026-03-29T12:00Z'), [
      '2026-03-29T01:00 gap',
    ]);
    const both = list('*/30 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', '2026-03-29T12:00Z');
    assert.deepEqual(
      both,
      ['2026-03-29T01:00', '2026-03-29T01:30'],
      'a regular slot at the leap covers the gap',
    );
  });

  it('names the hour that Berlin repeats', () => {
    const day = ['2026-10-24T12:00Z', '2026-10-25T12:00Z'] as const;
    assert.deepEqual(list('*/30 2 * * *', 'Europe/Berlin', ...day), [
      '2026-10-25T00:00',
      '2026-10-25T00:30',
      '2026-10-25T01:00 repeat',
      '2026-10-25T01:30 repeat',
    ]);
    assert.deepEqual(list('30 1,3 * * *', 'Europe/Berlin', ...day), ['2026-10-24T23:30', '2026-10-25T02:30']);
    assert.deepEqual(list('0 3 25 10 *', 'Europe/Berlin', ...day), ['2026-10-25T02:00']);
  });

  it('lets a schedule without an hour follow elapsed time', () => {
    const gap = list('0 * * * *', 'Europe/Berlin', '2026-03-28T23:30Z', '2026-03-29T03:00Z');
    assert.deepEqual(gap, ['2026-03-29T00:00', '2026-03-29T01:00', '2026-03-29T02:00', '2026-03-29T03:00']);
    const overlap = list('0 * * * *', 'Europe/Berlin', '2026-10-24T23:30Z', '2026-10-25T02:00Z');
    assert.deepEqual(overlap, ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00']);
    const quarter = list('15,45 * * * *', 'Europe/Berlin', '2026-03-29T00:30Z', '2026-03-29T01:30Z');
    assert.deepEqual(quarter, ['2026-03-29T00:45', '2026-03-29T01:15']);
  });

  it('knows half-hour changes and zones without any', () => {
    // Lord Howe: 02:00 to 02:30 on 4 October 2026, back from 02:00 to 01:30 on 5 April 2026.
    const howe = 'Australia/Lord_Howe';
    assert.deepEqual(list('15 2 * * *', howe, '2026-10-03T00:00Z', '2026-10-04T00:00Z'), [
      '2026-10-03T15:30 gap',
    ]);
    assert.deepEqual(list('45 1 * * *', howe, '2026-04-04T00:00Z', '2026-04-05T00:00Z'), [
      '2026-04-04T14:45',
      '2026-04-04T15:15 repeat',
    ]);
    assert.equal(list('30 2 * * *', 'Asia/Kolkata', '2026-01-01T00:00Z', '2026-12-31T23:00Z').length, 365);
    assert.throws(() => new Zone('Europe/Atlantis'), RangeError);
  });

  it('loses and repeats no slot over two years, from any starting point', () => {
    const slots = cronSlots(parseCron('*/15 1-3 * * *'), new Zone('Europe/Berlin'));
    const all: number[] = [];
    for (let at = utc('2025-12-31T23:00Z'); at < utc('2028-01-01T00:00Z');) {
      const { due } = slots.next(at) ?? { due: NaN };
      assert.ok(due > at);
      all.push(due);
      at = due;
    }
    // 12 a day; the leap takes 4 (03:00 is a slot of its own), the repeated hour adds 4.
    assert.equal(all.filter((due) => due < utc('2027-12-31T23:00Z')).length, 730 * 12);
    for (let at = utc('2026-10-24T22:00Z'); at < utc('2026-10-25T04:00Z'); at += 7 * 60_000 + 13) {
      assert.equal(
        slots.next(at)?.due,
        all.find((due) => due > at),
        new Date(at).toISOString(),
      );
    }
  });

  it('counts intervals from 1970, and overdue slots without walking through years', () => {
    assert.deepEqual(intervalSlots(900_000).next(utc('2026-01-01T00:07Z')), {
      due: utc('2026-01-01T00:15Z'),
    });
    const minute = intervalSlots(60_000);
    const few = overdueSlots(minute, utc('2026-01-01T00:00Z'), utc('2026-01-01T00:05Z'), 2);
    assert.deepEqual(few, {
      newest: [{ due: utc('2026-01-01T00:04Z') }, { due: utc('2026-01-01T00:05Z') }],
      total: 5,
    });
    assert.deepEqual(overdueSlots(minute, 0, 0, 5), { newest: [], total: 0 });
    let asked = 0;
    const second = intervalSlots(1000);
    const counting = { next: (after: number) => ((asked += 1), second.next(after)) };
    const many = overdueSlots(counting, utc('1970-01-01T00:00Z'), utc('2026-01-01T00:00Z'), 1000);
    assert.equal(many.newest.length, 1000);
    assert.equal(many.newest.at(-1)?.due, utc('2026-01-01T00:00Z'));
    assert.equal(many.total, undefined);
    assert.ok(asked < 10_000, `${asked} steps`);
  });
});
