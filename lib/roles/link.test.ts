import assert from 'node:assert/strict';
import { Failure, isFailure, Scope } from '../core';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { Link, type LinkState } from './link';

function setUp(open: (scope: Scope, lost: (error: unknown) => void) => Promise<number>) {
  const clock = new VirtualClock();
  const states: LinkState[] = [];
  const closed: number[] = [];
  const openedAt: number[] = [];
  const link = new Link<number>({
    open: (scope, lost) => {
      openedAt.push(clock.mono());
      return open(scope, lost);
    },
    close: (session) => {
      closed.push(session);
      return Promise.resolve();
    },
    name: (error) =>
      isFailure(error) ? error : new Failure('disconnected', 'CONNECTION_LOST', String(error)),
    clock,
    random: () => 1,
    openTimeoutMs: 5000,
    reopenMaxMs: 8000,
    onChange: (view) => states.push(view.state),
    peer: '"PLC"',
  });
  return { clock, states, closed, openedAt, link };
}

const down = (): Promise<number> => Promise.reject(new Error('down'));

describe('link', () => {
  it('doubles its pauses up to the longest', async () => {
    const { clock, openedAt, link } = setUp(down);
    link.start();
    await clock.advance(32_000);
    assert.deepEqual(openedAt, [0, 1000, 3000, 7000, 15_000, 23_000, 31_000]);
    await link.close();
    assert.equal(clock.pending, 0);
  });

  it('tries wrong credentials only at the longest pause', async () => {
    const { clock, openedAt, link } = setUp(() => Promise.reject(new Failure('auth', 'AUTH_FAILED', 'No.')));
    link.start();
    await clock.advance(17_000);
    assert.deepEqual(openedAt, [0, 8000, 16_000]);
    await link.close();
  });

  it('fails waiting calls when the opening fails, with the reason', async () => {
    const { clock, link } = setUp(down);
    const scope = new Scope();
    const waiting = link.session(scope);
    const rejected = assert.rejects(
      waiting,
      (error) => isFailure(error) && error.code === 'NOT_CONNECTED' && !error.reached,
    );
    await clock.advance(1);
    await rejected;
    assert.equal(scope.listenerCount, 0);
    await link.close();
  });

  it('lets an aborted call go at once', async () => {
    const { link } = setUp(() => new Promise(() => {}));
    const scope = new Scope();
    const waiting = link.session(scope);
    scope.abort();
    await assert.rejects(waiting, /stopping/);
    await link.close();
  });

  it('asks a peer that drops every session at once at growing pauses', async () => {
    const { clock, openedAt, link } = setUp((_scope, lost) => {
      clock.timer(1, () => lost(new Error('dropped')));
      return Promise.resolve(1);
    });
    link.start();
    await clock.advance(24_000);
    assert.deepEqual(openedAt, [0, 1001, 3002, 7003, 15_004, 23_005]);
    await link.close();
  });

  it('starts anew after a session that had worked', async () => {
    let drop: () => void = () => {};
    const { clock, openedAt, link } = setUp((_scope, lost) => {
      drop = () => lost(new Error('dropped'));
      return Promise.resolve(1);
    });
    link.start();
    await clock.advance(20_000);
    drop();
    await clock.advance(20_000);
    drop();
    await clock.advance(1000);
    assert.deepEqual(openedAt, [0, 21_000, 41_000]);
    await link.close();
  });

  it('ignores reports about a session that is already replaced', async () => {
    let report: (error: unknown) => void = () => {};
    let number = 0;
    const { clock, link, openedAt } = setUp((_scope, lost) => {
      report = number === 0 ? lost : report;
      number += 1;
      return Promise.resolve(number);
    });
    link.start();
    await clock.advance(1);
    report(new Error('first'));
    await clock.advance(2000);
    report(new Error('first again'));
    await clock.advance(20_000);
    assert.equal(openedAt.length, 2);
    await link.close();
  });

  it('notices a session that is lost while it is being opened', async () => {
    const { clock, states, link } = setUp((_scope, lost) => {
      lost(new Error('at once'));
      return Promise.resolve(1);
    });
    link.start();
    await clock.advance(1);
    assert.deepEqual(states, ['opening', 'open', 'waiting']);
    await link.close();
  });

  it('closes for good: nothing is opened afterwards', async () => {
    const { clock, openedAt, closed, link } = setUp(() => Promise.resolve(7));
    link.start();
    await clock.advance(1);
    await link.close();
    await clock.advance(60_000);
    assert.deepEqual([openedAt.length, closed], [1, [7]]);
    await assert.rejects(link.session(new Scope()), /stopping/);
  });
});
