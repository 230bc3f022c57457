import assert from 'node:assert/strict';
import { Failure, type Clock, type Message } from '../core';
import { duration, type Fields } from '../spec';
import { Harness } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { defineConnector, defineTrigger, type TriggerContext } from './declare';

const fields = {
  every: duration({ label: 'Every', help: 'How often.', default: '1s' }),
} satisfies Fields;

interface Session {
  readonly number: number;
}

class Source {
  sessions = 0;
  reads = 0;
  starts = 0;
  stops = 0;
  lost: (error: unknown) => void = () => {};
  read: () => Promise<Message | undefined> = () => Promise.resolve({ payload: this.reads });
  begin: () => Promise<void> = () => Promise.resolve();

  readonly connector = defineConnector({
    type: 'holdfast-source-connection',
    version: 1,
    label: 'source',
    summary: 'A source.',
    fields: {},
    open: (ctx): Promise<Session> => {
      this.sessions += 1;
      this.lost = ctx.lost;
      return Promise.resolve({ number: this.sessions });
    },
    close: () => Promise.resolve(),
    ping: () => Promise.resolve(),
    classify: (error) => new Failure('disconnected', 'CONNECTION_LOST', String(error)),
    simulator: { load: () => Promise.reject(new Error('none')), apply: (config) => config },
  });

  readonly polling = defineTrigger({
    type: 'holdfast-source-trigger',
    version: 1,
    label: 'source',
    summary: 'Polls.',
    connector: this.connector,
    fields,
    poll: {
      everyMs: (config) => config.every,
      operation: () => 'poll',
      read: () => {
        this.reads += 1;
        return this.read();
      },
    },
  });

  readonly listening = defineTrigger({
    type: 'holdfast-source-trigger',
    version: 1,
    label: 'source',
    summary: 'Listens.',
    connector: this.connector,
    fields,
    start: async (ctx: TriggerContext<typeof fields, Session>) => {
      this.starts += 1;
      await this.begin();
      ctx.emit({ payload: `session ${ctx.session.number}` });
      return () => {
        this.stops += 1;
      };
    },
  });
}

describe('trigger node', () => {
  let clock: VirtualClock;
  let source: Source;
  let harness: Harness;

  beforeEach(() => {
    clock = new VirtualClock();
    source = new Source();
    harness = new Harness({ clock, random: () => 0.5 });
  });
  afterEach(async () => {
    await harness.closeOn(clock);
  });

  function poll(raw: Record<string, unknown> = {}) {
    const { connection } = harness.connection(source.connector, {});
    return harness.trigger(source.polling, connection, { retryStrategy: 'none', ...raw });
  }

  it('polls at once and then on its grid, without drift', async () => {
    const { recorded } = poll();
    await clock.advance(3000);
    assert.deepEqual(
      recorded.sent.map(({ msg }) => msg.payload),
      [1, 2, 3, 4],
    );
  });

  it('never reads twice at once and says once that it is late', async () => {
    let release: () => void = () => {};
    source.read = () =>
      new Promise((resolve) => {
        release = () => resolve({ payload: 'late' });
      });
    const { recorded } = poll();
    await clock.advance(5500);
    assert.equal(source.reads, 1);
    assert.equal(recorded.lines.filter((line) => /longer than the poll interval/.test(line)).length, 1);
    release();
    await clock.advance(1000);
    assert.equal(source.reads, 2);
    release();
  });

  it('does not take a timer that fires a little early for a late reading', async () => {
    const hasty: Clock = {
      now: clock.now,
      mono: clock.mono,
      timer: (ms, fn) => clock.timer(Math.max(0, ms - 0.4), fn),
    };
    harness = new Harness({ clock: hasty, random: () => 0.5 });
    let release: () => void = () => {};
    source.read = () =>
      new Promise((resolve) => {
        release = () => resolve({ payload: 'ok' });
      });
    const { recorded } = poll();
    for (let i = 0; i < 3; i += 1) {
      await clock.advance(990);
      release();
      await clock.advance(10);
    }
    assert.deepEqual(recorded.lines, []);
    release();
  });

  it('reports a standing failure once and its end', async () => {
    source.read = () => Promise.reject(new Failure('rejected', 'PEER_REJECTED', 'No such tag.'));
    const { recorded } = poll();
    await clock.advance(5000);
    assert.equal(source.reads, 6);
    assert.equal(recorded.failures.length, 1);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'warn', text: 'No such tag.' });
    source.read = () => Promise.resolve({ payload: 'ok' });
    await clock.advance(1000);
    assert.match(recorded.lines.at(-1) ?? '', /works again after 6 polls/);
    await clock.advance(300);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'good', text: 'connected' });
  });

  it('sends nothing after it was closed', async () => {
    let release: () => void = () => {};
    source.read = () =>
      new Promise((resolve) => {
        release = () => resolve({ payload: 'too late' });
      });
    const { node, recorded } = poll();
    await clock.advance(10);
    const closing = node.close();
    release();
    await clock.advance(2000);
    await closing;
    assert.deepEqual(recorded.sent, []);
  });

  it('listens again on every new session', async () => {
    const { connection } = harness.connection(source.connector, {});
    const { recorded } = harness.trigger(source.listening, connection, {});
    await clock.advance(10);
    source.lost(new Error('gone'));
    await clock.advance(2000);
    assert.deepEqual(
      recorded.sent.map(({ msg }) => msg.payload),
      ['session 1', 'session 2'],
    );
    assert.equal(source.stops, 1);
  });

  it('tries a refused start again, more slowly each time', async () => {
    source.begin = () => Promise.reject(new Failure('rejected', 'PEER_REJECTED', 'Not allowed.'));
    const { connection } = harness.connection(source.connector, {});
    const { recorded } = harness.trigger(source.listening, connection, {});
    await clock.advance(7500);
    assert.equal(source.starts, 4);
    source.begin = () => Promise.resolve();
    await clock.advance(8000);
    assert.equal(recorded.sent.length, 1);
  });
});
