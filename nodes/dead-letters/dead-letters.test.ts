import assert from 'node:assert/strict';
import { isFailure, Scope, silentLog, type Message, type StateStore } from '../../lib/core';
import { openMemoryStore } from '../../lib/queue/memory/store';
import type { DeadLetter, DeadLetters, QueueStore } from '../../lib/queue/types';
import { addDead, PRESS } from '../../test/helpers/dead-letters';
import { settle, VirtualClock } from '../../test/helpers/virtual-clock';
import { chooser, type Choice } from './choice';
import { Feed } from './feed';

const ALL: Choice = { nodes: [], queues: [], kinds: [], codes: [] };

describe('dead letters: feed', () => {
  let clock: VirtualClock;
  let local: QueueStore;
  let dead: DeadLetters;
  let saved: unknown;
  let diskFails: boolean;
  const store: StateStore = {
    load: () => Promise.resolve(saved),
    save: (value) => {
      if (diskFails) return Promise.reject(new Error('disk full'));
      saved = structuredClone(value);
      return Promise.resolve();
    },
  };

  interface Running {
    readonly sent: Message[];
    readonly lines: string[];
    stop(): Promise<void>;
  }
  const start = async (perSecond = 100, choice: Choice = ALL): Promise<Running> => {
    const sent: Message[] = [];
    const lines: string[] = [];
    const scope = new Scope();
    const log = { ...silentLog, warn: (text: string) => void lines.push(text) };
    const emit = (msg: Message): void => void (scope.aborted || sent.push(msg));
    const parts = { dead, store, clock, log, scope, perSecond, emit, looked: () => Promise.resolve() };
    const feed = await Feed.start({ ...parts, chosen: chooser(choice) });
    await clock.advance(100);
    return {
      sent,
      lines,
      stop: async () => {
        scope.abort();
        await feed.stop();
      },
    };
  };
  const ids = ({ sent }: Running): unknown[] => sent.map(({ payload }) => (payload as DeadLetter).id);

  beforeEach(() => {
    clock = new VirtualClock();
    local = openMemoryStore({ clock });
    assert.ok(local.dead);
    dead = local.dead;
    saved = undefined;
    diskFails = false;
  });
  afterEach(async () => {
    await local.close();
    assert.equal(clock.pending, 0, 'timers left');
  });

  it('sends what comes, with the facts and the original', async () => {
    await addDead(dead, { id: 'before' });
    const feed = await start();
    assert.equal(feed.sent.length, 0, 'a new node begins with the letters to come');
    await addDead(dead, { id: 'new', msg: { payload: Buffer.from('x'), topic: 't' } });
    await settle();
    const [one] = feed.sent;
    assert.deepEqual(one?.['original'], { payload: Buffer.from('x'), topic: 't' });
    const { number, reason, code, source, lastAt } = one.payload as Record<string, unknown>;
    assert.deepEqual(
      { number, reason, code, source, lastAt },
      {
        number: 2,
        reason: 'The server refused the order.',
        code: 'PEER_REJECTED',
        source: PRESS,
        lastAt: '2026-01-01T00:00:00.000Z',
      },
    );
    await feed.stop();
  });

  it('sends each once across restarts, and what came meanwhile', async () => {
    const first = await start();
    await addDead(dead, { id: 'a' });
    await settle();
    await first.stop();
    await addDead(dead, { id: 'b' });
    await addDead(dead, { id: 'c' });
    const second = await start();
    await addDead(dead, { id: 'd' });
    await clock.advance(1000);
    assert.deepEqual([ids(first), ids(second)], [['a'], ['b', 'c', 'd']]);
    await second.stop();
  });

  it('takes nothing for sent that came after its end', async () => {
    const first = await start(1);
    for (const id of ['a', 'b', 'c']) await addDead(dead, { id });
    await settle();
    await first.stop();
    const second = await start(1);
    await clock.advance(5000);
    assert.deepEqual([...ids(first), ...ids(second)], ['a', 'b', 'c']);
    await second.stop();
  });

  it('takes nothing for sent that it was reading when it ended', async () => {
    saved = { last: 0 };
    for (const id of ['a', 'b']) await addDead(dead, { id });
    let reading = (): void => {};
    const ended = new Promise<void>((resolve) => (reading = resolve));
    let read = (): void => {};
    const get = dead.get.bind(dead);
    dead.get = (number) => {
      reading();
      return new Promise((resolve) => (read = () => resolve(get(number))));
    };
    const first = await start();
    await ended;
    const stopped = first.stop();
    read();
    await stopped;
    assert.deepEqual([ids(first), saved], [[], { last: 0 }]);
    dead.get = get;
    const second = await start();
    assert.deepEqual(ids(second), ['a', 'b']);
    await second.stop();
  });

  it('keeps a burst within its rate and its order', async () => {
    const feed = await start(10);
    for (let i = 0; i < 35; i += 1) await addDead(dead, { id: String(i) });
    await settle();
    assert.ok(feed.sent.length <= 10, `${feed.sent.length} at once`);
    await clock.advance(1000);
    assert.ok(feed.sent.length <= 21, `${feed.sent.length} after a second`);
    await clock.advance(4000);
    assert.deepEqual(
      ids(feed),
      Array.from({ length: 35 }, (_, i) => String(i)),
    );
    await feed.stop();
  });

  it('sends only what is chosen, and finds it among thousands', async () => {
    const feed = await start(100, { ...ALL, nodes: ['Press 4', 'oven'], codes: ['EXPIRED'] });
    for (let i = 0; i < 1200; i += 1) await addDead(dead, { id: String(i) });
    await addDead(dead, { id: 'x', code: 'EXPIRED' });
    await addDead(dead, { id: 'y', code: 'EXPIRED', source: { ...PRESS, node: 'oven', name: 'Oven' } });
    await addDead(dead, { id: 'z', code: 'EXPIRED', source: { ...PRESS, name: 'Saw' } });
    await clock.advance(1000);
    assert.deepEqual(ids(feed), ['x', 'y']);
    await feed.stop();
  });

  it('passes over a backlog of others without waiting for news', async () => {
    saved = { last: 0 };
    for (let i = 0; i < 1200; i += 1) await addDead(dead, { id: String(i) });
    await addDead(dead, { id: 'x', code: 'EXPIRED' });
    const feed = await start(100, { ...ALL, codes: ['EXPIRED'] });
    await clock.advance(1000);
    assert.deepEqual(ids(feed), ['x']);
    await feed.stop();
  });

  it('goes on when the disk did not take its place, and remembers it later', async () => {
    const feed = await start();
    diskFails = true;
    await addDead(dead, { id: 'a' });
    await clock.advance(20_000);
    assert.equal(feed.lines.length, 1, feed.lines.join());
    assert.match(feed.lines[0] ?? '', /cannot be sent now: disk full/);
    diskFails = false;
    await addDead(dead, { id: 'b' });
    await clock.advance(20_000);
    assert.deepEqual(ids(feed), ['a', 'b']);
    assert.deepEqual(saved, { last: 2 });
    await feed.stop();
  });

  it('notices a store that was made anew', async () => {
    saved = { last: 50 };
    const feed = await start();
    await addDead(dead, { id: 'a' });
    await settle();
    assert.deepEqual(ids(feed), ['a']);
    await feed.stop();
    assert.deepEqual(saved, { last: 1 });
  });

  it('passes on a letter whose message cannot be read', async () => {
    const feed = await start();
    const entry = { id: 'odd', key: '', time: 0, body: Buffer.from([0xff, 0xfe]) };
    const attempt = { at: 0, kind: 'rejected', code: 'PEER_REJECTED', message: 'No.' } as const;
    await dead.add('orders', entry, PRESS, [attempt], 1);
    await settle();
    assert.equal('original' in (feed.sent[0] ?? {}), false);
    assert.match((feed.sent[0]?.payload as { unreadable: string }).unreadable, /\.$/);
    await feed.stop();
  });

  it('refuses a kind that no failure has', () => {
    assert.throws(
      () => chooser({ ...ALL, kinds: ['fatal'] }),
      (error) =>
        isFailure(error) && error.kind === 'config' && /Kinds must hold .* not "fatal"/.test(error.message),
    );
  });
});
