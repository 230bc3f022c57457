import assert from 'node:assert/strict';
import { Scope, isFailure } from '../../lib/core';
import type { Failure } from '../../lib/core';
import { settle } from '../../test/helpers/virtual-clock';
import { TagBook } from './book';
import { connect, exception, row } from './peer.test';
import type { TagRow } from './tags';
import { writeTags } from './write';

type Bed = ReturnType<typeof connect>;

/** The failure that writing `value` to one tag ends with. */
async function refused({ session, clock }: Bed, tag: TagRow, value: unknown): Promise<Failure> {
  const known = new TagBook([tag], 'protocol').on(session).tag(tag.name);
  const error: unknown = await writeTags(session, [{ tag: known, value }], new Scope(), clock).then(
    () => assert.fail('written'),
    (thrown: unknown) => thrown,
  );
  assert.ok(isFailure(error));
  return error;
}

describe('modbus: functions that a device does not have', () => {
  const bit: TagRow = { ...row(1, 7), type: 'bool', bit: 3 };
  const coil: TagRow = { ...row(1, 7), area: 'coil', type: 'bool' };
  const cases: [string, number, TagRow, unknown, RegExp][] = [
    ['a bit of a register', 22, bit, true, /function 22.*single bits.*whole register/],
    ['a register', 6, row(1, 7), 5, /function 6;.*"Only functions 15 and 16"/],
    ['a coil', 5, coil, true, /function 5;.*"Only functions 15 and 16"/],
  ];
  for (const [what, code, tag, value, said] of cases) {
    it(`are named when ${what} is written, with what to do instead`, async () => {
      const bed = connect();
      bed.peer.reply = (frame) => exception(frame, 1);
      const failure = await refused(bed, tag, value);
      assert.deepEqual(
        [failure.kind, failure.code, failure.reached],
        ['rejected', 'ILLEGAL_FUNCTION', false],
      );
      assert.match(failure.message, said);
      assert.deepEqual([failure.details['exception'], failure.details['unit']], [1, 1]);
      assert.deepEqual(
        bed.peer.frames.map((frame) => frame.code),
        [code],
      );
    });
  }
});

describe('modbus: writes', () => {
  for (const unit of [0, 255]) {
    it(`to unit ${unit} wait for its confirmation like any other`, async () => {
      const bed = connect();
      const failing = refused(bed, row(unit, 1), 1);
      await settle();
      assert.deepEqual(
        bed.peer.frames.map((frame) => frame.unit),
        [unit],
      );
      await bed.clock.advance(1000);
      assert.equal((await failing).code, 'CONNECTION_LOST');
    });
  }

  it('that are aborted while they wait for their turn are not sent', async () => {
    const { session, peer, clock } = connect();
    const tag = new TagBook([row(1, 1)], 'protocol').on(session).tag('1/1');
    const scopes = [new Scope(), new Scope()];
    const ends = scopes.map((scope, i) =>
      writeTags(session, [{ tag, value: i }], scope, clock).catch((error: unknown) =>
        isFailure(error) ? error.code : error,
      ),
    );
    await settle();
    for (const scope of scopes) scope.abort();
    assert.deepEqual(await Promise.all(ends), ['CANCELLED', 'CANCELLED']);
    await clock.advance(5000);
    const writes = peer.frames.filter(({ code }) => code === 6);
    assert.equal(writes.length, 1, 'the first was under way, the second never leaves');
    assert.deepEqual(
      scopes.map((scope) => scope.listenerCount),
      [0, 0],
    );
    assert.equal(clock.pending, 0);
  });
});
