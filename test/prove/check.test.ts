import assert from 'node:assert/strict';
import { check, type Verdict } from './check';
import { lineReader, type Ending, type LedgerEvent, type Totals } from './ledger';

const RUN: LedgerEvent = { e: 'run' };
/** Ids are `<key><number>`: a1, b2. */
const asked = (id: string): LedgerEvent => ({ e: 'try', id, key: id.charAt(0), n: Number(id.slice(1)) });
const put = (id: string): LedgerEvent[] => [asked(id), { e: 'put', id, result: 'stored' }];
const got = (id: string, delivery = 1): LedgerEvent => ({ e: 'got', id, key: id.charAt(0), delivery });
const ending = (id: string, how: Ending = 'acknowledge'): LedgerEvent => ({ e: 'ending', id, how });
const ended = (id: string, how: Ending = 'acknowledge', ok = true): LedgerEvent[] => [
  ending(id, how),
  { e: 'ended', id, how, ok },
];
const drained = (totals: Partial<Totals> = {}, dead: string[] = []): LedgerEvent => ({
  e: 'drained',
  dead,
  totals: { put: 0, acknowledged: 0, died: 0, dropped: 0, there: 0, ...totals },
});
const judge = (...events: (LedgerEvent | LedgerEvent[])[]): Verdict =>
  check([RUN, ...events.flat()], { window: 2 });

describe('the checker of ledgers', () => {
  it('finds nothing in a ledger without fault', () => {
    const verdict = judge(
      put('a1'),
      put('a2'),
      put('b1'),
      got('a1'),
      got('b1'),
      ended('a1', 'reject'),
      ended('b1', 'deadLetter'),
      got('a1', 2),
      ended('a1', 'release'),
      got('a1', 2),
      ended('a1'),
      got('a2'),
      ended('a2'),
      drained({ put: 3, acknowledged: 2, died: 1 }, ['b1']),
    );
    assert.deepEqual(verdict, { messages: 3, lost: [], duplicated: 0, disordered: [], wrong: [] });
  });

  it('allows what was out to come again after a crash, and what had no answer to be there or not', () => {
    const verdict = judge(
      put('a1'),
      put('a2'),
      asked('a3'),
      asked('a4'),
      got('a1'),
      got('a2'),
      ending('a1'),
      RUN,
      got('a2', 2),
      ended('a2'),
      got('a3'),
      ended('a3'),
      drained({ put: 3, acknowledged: 3 }),
    );
    assert.deepEqual(verdict, { messages: 2, lost: [], duplicated: 1, disordered: [], wrong: [] });
  });

  it('detects a record that was confirmed and never came', () => {
    const verdict = judge(put('a1'), put('a2'), got('a1'), ended('a1'), drained({ put: 2, acknowledged: 2 }));
    assert.deepEqual(verdict.lost, ['a2']);
  });

  it('detects a record that came, died with its process and never came again', () => {
    assert.deepEqual(judge(put('a1'), got('a1'), RUN, drained({ put: 1, acknowledged: 1 })).lost, ['a1']);
  });

  it('detects a dead letter that is nowhere', () => {
    const verdict = judge(put('a1'), got('a1'), ended('a1', 'deadLetter'), drained({ put: 1, died: 1 }));
    assert.deepEqual(verdict.lost, ['a1']);
  });

  it('detects first deliveries out of order', () => {
    const swapped = judge(put('a1'), put('a2'), got('a2'), got('a1'));
    assert.deepEqual(swapped.disordered, [
      'a2 overtook a1.',
      'a1 came for the first time after number 2 of its key.',
    ]);
  });

  it('detects an unconfirmed put that comes after its successor', () => {
    const late = judge(asked('a1'), put('a2'), got('a2'), ended('a2'), got('a1'));
    assert.equal(late.disordered.length, 1);
  });

  it('detects that a rejected record did not hold its key', () => {
    const past = judge(put('a1'), put('a2'), got('a1'), ended('a1', 'reject'), got('a2'));
    assert.deepEqual(past.disordered, ['a2 overtook a1.']);
  });

  it('detects repeated deliveries in the wrong order', () => {
    const verdict = judge(put('a1'), put('a2'), got('a1'), got('a2'), RUN, got('a2', 2), got('a1', 2));
    assert.equal(verdict.disordered.length, 2);
  });

  for (const [what, pattern, ...events] of [
    [
      'delivery after acknowledge',
      /after its acknowledge/,
      put('a1'),
      got('a1'),
      ended('a1'),
      RUN,
      got('a1', 2),
    ],
    [
      'delivery after dead letter',
      /after its deadLetter/,
      put('a1'),
      got('a1'),
      ended('a1', 'deadLetter'),
      got('a1', 2),
    ],
    ['two deliveries at once', /while it was out/, put('a1'), got('a1'), got('a1', 2)],
    [
      'a delivery that repeats in one run',
      /no process had died/,
      put('a1'),
      got('a1'),
      ending('a1'),
      got('a1', 2),
    ],
    [
      'a delivery number that does not rise',
      /delivery 1 after delivery 1/,
      put('a1'),
      got('a1'),
      RUN,
      got('a1', 1),
    ],
    ['a delivery number that rises for nothing', /nobody saw/, put('a1'), got('a1', 2)],
    ['a record that nobody put', /never put/, got('a1')],
    [
      'a record that was refused',
      /was refused/,
      asked('a1'),
      { e: 'refused', id: 'a1', code: 'X' },
      got('a1'),
    ],
    ['another key', /came with b/, put('a1'), { e: 'got', id: 'a1', key: 'b', delivery: 1 }],
    ['a lost lease', /lease was lost/, put('a1'), got('a1'), ended('a1', 'acknowledge', false)],
    ['a drop', /was dropped/, asked('a1'), { e: 'put', id: 'a1', result: 'dropped' }],
    ['a queue that was not drained', /never drained/, put('a1')],
    ['totals that do not add up', /do not add up/, put('a1'), drained({ put: 1 })],
    ['puts that are not counted', /count 0 puts/, put('a1'), drained()],
    [
      'a dead letter that nobody made',
      /nobody made it/,
      put('a1'),
      got('a1'),
      drained({ put: 1, died: 1 }, ['a1']),
    ],
    [
      'a dead letter twice',
      /twice/,
      put('a1'),
      got('a1'),
      ended('a1', 'deadLetter'),
      drained({ put: 1, died: 1 }, ['a1', 'a1']),
    ],
    [
      'an acknowledged dead letter',
      /although it was ack/,
      put('a1'),
      got('a1'),
      ended('a1'),
      drained({ put: 1, died: 1 }, ['a1']),
    ],
    ['what the process itself saw', /body/, { e: 'wrong', text: 'a1 has another body.' }],
  ] as [string, RegExp, ...(LedgerEvent | LedgerEvent[])[]][])
    it(`detects ${what}`, () => {
      const { wrong } = judge(...events);
      assert.ok(
        wrong.some((text) => pattern.test(text)),
        `${wrong.join(' ')} does not match ${String(pattern)}`,
      );
    });

  it('detects more repeated deliveries than the window allows', () => {
    const ids = ['a1', 'b1', 'c1'];
    const verdict = judge(...ids.map(put), ...ids.map((id) => got(id)), RUN, ...ids.map((id) => got(id, 2)));
    assert.equal(verdict.duplicated, 3);
    assert.ok(verdict.wrong.some((text) => text.startsWith('More than 2')));
  });

  it('takes a record that died with every delivery for exhausted, and only that', () => {
    const died = [...put('a1'), got('a1'), RUN, got('a1', 2), RUN, drained({ put: 1, died: 1 }, ['a1'])];
    assert.deepEqual(check([RUN, ...died], { window: 2, maxDeliveries: 3 }).wrong, []);
    assert.equal(check([RUN, ...died], { window: 2, maxDeliveries: 9 }).wrong.length, 1);
  });

  it('lets the next of its key pass a record that is exhausted, and no other', () => {
    const events = [RUN, ...put('a1'), ...put('a2'), got('a1'), RUN, got('a2')];
    assert.deepEqual(check(events, { window: 2, maxDeliveries: 1 }).disordered, []);
    assert.equal(check(events, { window: 2, maxDeliveries: 5 }).disordered.length, 1);
  });

  it('reads a pipe that is cut anywhere, and leaves out a line without its end', () => {
    const seen: LedgerEvent[] = [];
    const read = lineReader((event) => seen.push(event as LedgerEvent));
    for (const byte of Buffer.from('{"e":"run"}\n{"e":"open"}\n{"e":"o')) read(Buffer.from([byte]));
    assert.deepEqual(seen, [{ e: 'run' }, { e: 'open' }]);
  });
});
