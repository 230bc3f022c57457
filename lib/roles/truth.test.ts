/** What nodes show and report: the truth, soon, and once. */
import assert from 'node:assert/strict';
import { Failure, type Message } from '../core';
import { duration } from '../spec';
import { Harness } from '../../test/helpers/harness';
import { settle, VirtualClock } from '../../test/helpers/virtual-clock';
import { defineAdapter, defineConnector, defineTrigger } from './declare';

const every = duration({ label: 'Every', help: 'x.', default: '1s' });

class Peer {
  opened = 0;
  lost: (error: unknown) => void = () => {};
  open: () => Promise<void> = () => Promise.resolve();
  answer: () => Promise<{ payload: unknown }> = () => Promise.resolve({ payload: 1 });
  read: () => Promise<Message> = () => Promise.resolve({ payload: 1 });
  start: () => Promise<() => void | Promise<void>> = () => Promise.resolve(() => {});

  readonly connector = defineConnector({
    type: 'holdfast-truth-connection',
    version: 1,
    label: 'truth',
    summary: 'A peer.',
    fields: {},
    open: async (ctx) => {
      await this.open();
      this.opened += 1;
      this.lost = ctx.lost;
      return {};
    },
    close: () => Promise.resolve(),
    ping: () => Promise.resolve(),
    classify: (error) =>
      new Failure('disconnected', 'CONNECTION_LOST', error instanceof Error ? error.message : 'odd'),
    simulator: { load: () => Promise.reject(new Error('none')), apply: (config) => config },
  });
  readonly adapter = defineAdapter({
    type: 'holdfast-truth',
    version: 1,
    label: 'truth',
    summary: 'Asks.',
    connector: this.connector,
    fields: {},
    effect: () => 'safe',
    operation: () => 'ask',
    call: () => this.answer(),
  });
  readonly poll = defineTrigger({
    type: 'holdfast-truth-trigger',
    version: 1,
    label: 'truth',
    summary: 'Polls.',
    connector: this.connector,
    fields: { every },
    poll: { everyMs: (config) => config.every, operation: () => 'poll', read: () => this.read() },
  });
  readonly listen = defineTrigger({
    type: 'holdfast-truth-trigger',
    version: 1,
    label: 'truth',
    summary: 'Listens.',
    connector: this.connector,
    fields: {},
    start: () => this.start(),
  });
  readonly alone = defineTrigger({
    type: 'holdfast-alone',
    version: 1,
    label: 'alone',
    summary: 'Runs alone.',
    fields: {},
    start: () => this.start(),
  });
}

describe('truth of what nodes show', () => {
  let clock: VirtualClock;
  let peer: Peer;
  let harness: Harness;

  beforeEach(() => {
    clock = new VirtualClock();
    peer = new Peer();
    harness = new Harness({ clock, random: () => 0.5 });
  });
  afterEach(async () => {
    await harness.closeOn(clock);
  });

  function adapter(raw: Record<string, unknown> = {}, link: Record<string, unknown> = {}) {
    const { connection, recorded: linkRecord } = harness.connection(peer.connector, { name: 'PLC', ...link });
    return {
      connection,
      linkRecord,
      ...harness.adapter(peer.adapter, connection, { retryStrategy: 'none', ...raw }),
    };
  }
  const gone = (): Promise<never> => Promise.reject(new Error('gone'));

  it('a link that is back is shown within a second, also where a message failed meanwhile', async () => {
    const { send, recorded } = adapter();
    await clock.advance(10);
    peer.open = gone;
    peer.lost(new Error('gone'));
    await clock.advance(1000);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'bad', text: 'connection lost' });
    await assert.rejects(send({ payload: 1 }), { code: 'NOT_CONNECTED' });
    peer.open = () => Promise.resolve();
    const before = peer.opened;
    while (peer.opened === before) await clock.advance(100);
    await clock.advance(900);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'good', text: 'connected' });
  });

  it('an open breaker is shown within a second, and its end too', async () => {
    peer.answer = () => Promise.reject(new Failure('transient', 'PEER_ERROR', 'Busy.'));
    const { send, recorded } = adapter({}, { breakerFailures: 2, breakerOpen: '5s', pingEvery: '1d' });
    await clock.advance(10);
    for (let i = 0; i < 3; i += 1) await assert.rejects(send({ payload: 1 }));
    await clock.advance(900);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'bad', text: 'circuit open' });
    peer.answer = () => Promise.resolve({ payload: 1 });
    await clock.advance(5000);
    await send({ payload: 1 });
    await clock.advance(900);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'good', text: 'connected' });
  });

  it('cuts a long text only after its secrets are gone', async () => {
    const canary = 'canary-secret-that-is-long-enough-to-be-cut';
    harness.runtime.redactor.add(canary);
    const sentence = `${'x'.repeat(60)} ${canary}`;
    peer.answer = () => Promise.reject(new Failure('rejected', 'PEER_REJECTED', sentence));
    peer.start = () => Promise.reject(new Failure('config', 'BAD_CONFIG', sentence));
    const { send, recorded } = adapter();
    const alone = harness.trigger(peer.alone, undefined, {}).recorded;
    await clock.advance(10);
    await assert.rejects(send({ payload: 1 }));
    await clock.advance(300);
    const shown = [...recorded.statuses, ...alone.statuses].map(({ text }) => text).join();
    assert.match(shown, /xxx/);
    assert.ok(!shown.includes('canary'), shown);
  });

  it('says once that reading takes longer than the interval, not at every reading', async () => {
    const { connection } = harness.connection(peer.connector, {});
    peer.read = () =>
      new Promise((resolve) => {
        clock.timer(2500, () => resolve({ payload: 1 }));
      });
    const { recorded } = harness.trigger(peer.poll, connection, { retryStrategy: 'none' });
    await clock.advance(30_000);
    assert.equal(recorded.lines.filter((line) => /longer than the poll interval/.test(line)).length, 1);
  });

  it('a trigger without a connection that works again says so', async () => {
    peer.start = () => Promise.reject(new Failure('transient', 'PEER_ERROR', 'Disk is busy.'));
    const { recorded } = harness.trigger(peer.alone, undefined, {});
    await clock.advance(10);
    assert.equal(recorded.statuses.at(-1)?.level, 'bad');
    peer.start = () => Promise.resolve(() => {});
    await clock.advance(2000);
    assert.equal(recorded.statuses.at(-1)?.level, 'good');
  });

  it('a start that keeps being refused is reported once', async () => {
    peer.start = () => Promise.reject(new Failure('rejected', 'PEER_REJECTED', 'No.'));
    const { recorded } = harness.trigger(peer.alone, undefined, {});
    await clock.advance(30_000);
    assert.equal(recorded.failures.length, 1);
  });

  it('a start that meets a dead session ends it', async () => {
    peer.start = gone;
    const { connection } = harness.connection(peer.connector, {});
    harness.trigger(peer.listen, connection, {});
    await clock.advance(10);
    peer.start = () => Promise.resolve(() => {});
    await clock.advance(2000);
    assert.equal(peer.opened, 2);
  });

  for (const [what, end] of [
    [
      'throws',
      () => {
        throw new Error('broken end');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken end'))],
    ['hangs', () => new Promise<void>(() => {})],
  ] as [string, () => void | Promise<void>][]) {
    it(`a trigger whose end ${what} still closes, and leaves nothing behind`, async () => {
      peer.start = () => Promise.resolve(end);
      const { connection } = harness.connection(peer.connector, {});
      const listening = harness.trigger(peer.listen, connection, {});
      const alone = harness.trigger(peer.alone, undefined, {});
      await clock.advance(10);
      let closed = 0;
      for (const { node } of [listening, alone]) void node.close().then(() => (closed += 1));
      void connection.close().then(() => (closed += 1));
      await clock.advance(13_000);
      assert.equal(closed, 3);
      assert.deepEqual(harness.runtime.metrics.snapshot(), []);
    });
  }

  it('a trigger that is refused at its start leaves no series', () => {
    const broken = {
      ...peer.alone,
      prepare: () => {
        throw new Failure('config', 'BAD_CONFIG', 'No.');
      },
    };
    assert.throws(() => harness.trigger(broken, undefined, {}), { code: 'BAD_CONFIG' });
    assert.deepEqual(harness.runtime.metrics.snapshot(), []);
  });

  it('credentials that are refused are reported, also where no message comes by', async () => {
    peer.open = () => Promise.reject(new Failure('auth', 'AUTH_FAILED', 'The password is wrong.'));
    const { connection, recorded } = harness.connection(peer.connector, { name: 'PLC' });
    harness.trigger(peer.listen, connection, {});
    await clock.advance(120_000);
    assert.deepEqual(
      recorded.failures.map(({ code }) => code),
      ['AUTH_FAILED'],
    );
    assert.equal(recorded.lines.filter((line) => line.includes('wrong')).length, 1);
    await settle();
  });
});
