import assert from 'node:assert/strict';
import { Failure, Scope } from '../core';
import { failureOf } from '../../test/helpers/failure-of';
import { Harness } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import type { Connection } from './connection';
import { defineConnector } from './declare';

interface Peer {
  opened: number;
  closed: number;
  opening: Promise<void>;
}
interface Session {
  readonly over: Scope;
}

function connectorOf(peer: Peer) {
  return defineConnector({
    type: 'holdfast-peer-connection',
    version: 1,
    label: 'peer',
    summary: 'A peer.',
    fields: {},
    open: async (): Promise<Session> => {
      await peer.opening;
      peer.opened += 1;
      return { over: new Scope() };
    },
    close: (session) => {
      peer.closed += 1;
      session.over.abort(new Failure('disconnected', 'CONNECTION_LOST', 'The socket was closed.'));
      return Promise.resolve();
    },
    classify: (error) => new Failure('unclassified', 'UNCLASSIFIED', String(error)),
    simulator: {
      load: () =>
        Promise.resolve({
          start: () => Promise.resolve({ host: '127.0.0.1', port: 0, close: () => Promise.resolve() }),
        }),
      apply: (config) => config,
    },
  });
}

describe('played outages', () => {
  let clock: VirtualClock;
  let harness: Harness;
  let peer: Peer;
  let connection: Connection;
  let detach: () => void;

  const begin = (raw: Record<string, string | boolean>): void => {
    connection = harness.connection(connectorOf(peer), {
      name: 'Boiler',
      breakerMode: 'off',
      simulate: true,
      ...raw,
    }).connection;
    detach = connection.attach({}, () => undefined);
  };
  const played = { outageEvery: '60s', outageFor: '20s' };
  /** A call that lasts until its session ends, or is answered at once. */
  const call = (lasting = false): Promise<string> =>
    connection.run<string>({
      effect: 'safe',
      timeoutMs: 120_000,
      retry: { strategy: 'none', attempts: 1, baseMs: 0, maxMs: 0 },
      key: 'call',
      scope: new Scope(),
      call: (session) =>
        new Promise((resolve, reject) => {
          if (!lasting) resolve('answered');
          (session as Session).over.onAbort(reject);
        }),
    });

  beforeEach(() => {
    clock = new VirtualClock();
    harness = new Harness({ clock, random: () => 0 });
    peer = { opened: 0, closed: 0, opening: Promise.resolve() };
  });
  afterEach(async () => {
    detach();
    await harness.closeOn(clock);
  });

  it('end the session, fail calls as disconnected, refuse openings, and pass by themselves', async () => {
    begin(played);
    await clock.advance(59_999);
    assert.equal(await call(), 'answered');
    const lasting = failureOf(call(true));
    await clock.advance(1);
    assert.deepEqual([peer.opened, peer.closed], [1, 1]);
    assert.equal((await lasting).kind, 'disconnected');
    const refused = await failureOf(call());
    assert.equal(refused.code, 'NOT_CONNECTED');
    assert.match(refused.message, /plays an outage/);
    assert.equal(refused.reached, false);
    await clock.advance(19_999);
    assert.equal(peer.opened, 1);
    assert.match(connection.status().text, /outage|lost|waiting|reconnect/i);
    await clock.advance(30_000);
    assert.equal(peer.opened, 2);
    assert.equal(await call(), 'answered');
  });

  it('come again and again, as long after the end of the last one', async () => {
    begin(played);
    await clock.advance(79_999);
    assert.equal(connection.current, undefined);
    await clock.advance(59_000);
    assert.notEqual(connection.current, undefined);
    await clock.advance(1_001);
    assert.equal(connection.current, undefined, 'at 140 s');
  });

  it('also refuse an opening that was under way when they began', async () => {
    let open = (): void => {};
    peer.opening = new Promise((resolve) => (open = resolve));
    begin({ ...played, openTimeout: '5m' });
    await clock.advance(61_000);
    open();
    await clock.advance(0);
    assert.equal(connection.current, undefined);
    assert.deepEqual([peer.opened, peer.closed], [1, 1]);
    await clock.advance(40_000);
    assert.notEqual(connection.current, undefined);
  });

  it('do not come where they are not asked for, nor at a real peer', async () => {
    begin({ ...played, outageEvery: '0s' });
    await clock.advance(600_000);
    assert.deepEqual([peer.opened, peer.closed], [1, 0]);
    detach();
    begin({ ...played, simulate: false });
    await clock.advance(600_000);
    assert.deepEqual([peer.opened, peer.closed], [2, 0]);
  });

  it('leave no timer when the connection is closed before, in and after one', async () => {
    for (const at of [30_000, 70_000, 100_000]) {
      begin(played);
      await clock.advance(at);
      detach();
      await harness.closeOn(clock);
      assert.equal(clock.pending, 0, `closed at ${at} ms`);
      harness = new Harness({ clock, random: () => 0 });
    }
    assert.equal(peer.opened, peer.closed);
  });
});
