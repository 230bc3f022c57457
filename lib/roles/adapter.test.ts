import assert from 'node:assert/strict';
import { Failure } from '../core';
import { choice, text, typed } from '../spec';
import { failureOf } from '../../test/helpers/failure-of';
import { Harness } from '../../test/helpers/harness';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { defineAdapter, defineConnector } from './declare';

/** A peer in memory: `answer` decides each call. */
class Peer {
  opened = 0;
  closed = 0;
  calls: { key: string; attempt: number; input: unknown }[] = [];
  open: () => Promise<void> = () => Promise.resolve();
  answer: (n: number) => Promise<unknown> = (n) => Promise.resolve(n);
  lost: (error: unknown) => void = () => {};
}

function system(peer: Peer) {
  const connector = defineConnector({
    type: 'holdfast-peer-connection',
    version: 1,
    label: 'peer',
    summary: 'A peer.',
    fields: { host: text({ label: 'Host', help: 'The host.', default: '' }) },
    open: async (ctx) => {
      await peer.open();
      peer.opened += 1;
      peer.lost = ctx.lost;
      return { peer };
    },
    close: () => {
      peer.closed += 1;
      return Promise.resolve();
    },
    classify: (error) =>
      error instanceof Error && error.message === 'gone'
        ? new Failure('disconnected', 'CONNECTION_LOST', 'The peer went away.')
        : new Failure('unclassified', 'UNCLASSIFIED', String(error)),
    simulator: { load: () => Promise.reject(new Error('none')), apply: (config) => config },
  });
  const adapter = defineAdapter({
    type: 'holdfast-peer',
    version: 1,
    label: 'peer',
    summary: 'Asks a peer.',
    connector,
    fields: {
      mode: choice({
        label: 'Mode',
        help: 'The effect.',
        default: 'safe',
        options: { safe: 'Safe', once: 'Once' },
        override: 'mode',
      }),
      body: typed({
        label: 'Body',
        help: 'The body.',
        default: { type: 'msg', value: 'payload' },
        types: ['msg', 'str'],
      }),
    },
    effect: (values) => values.mode,
    operation: (values) => `ask ${values.mode}`,
    cacheKey: (values, msg) => (msg.topic === 'fresh' ? undefined : String(values.body)),
    call: async ({ values, call, note }) => {
      if (values.body === 'partly') note('1 of 2 bad', 'warn');
      if (values.body === 'wholly') note('2 tags');
      peer.calls.push({ key: call.key, attempt: call.attempt, input: values.body });
      return { payload: await peer.answer(peer.calls.length) };
    },
  });
  return { connector, adapter };
}

describe('adapter node', () => {
  let clock: VirtualClock;
  let peer: Peer;
  let harness: Harness;

  function start(raw: Record<string, unknown> = {}, link: Record<string, unknown> = {}) {
    const { connector, adapter } = system(peer);
    const { connection, recorded: linkRecord } = harness.connection(connector, {
      name: 'Peer',
      host: 'x',
      ...link,
    });
    return { connection, linkRecord, ...harness.adapter(adapter, connection, { name: 'ask', ...raw }) };
  }

  beforeEach(() => {
    clock = new VirtualClock();
    peer = new Peer();
    harness = new Harness({ clock, random: () => 0.5 });
  });
  afterEach(async () => {
    await harness.closeOn(clock);
  });

  it('opens on first use, calls and sets the patch', async () => {
    const { send } = start();
    const [out] = await send({ payload: 'in', topic: 't' });
    assert.equal(out?.payload, 1);
    assert.equal(out?.topic, 't');
    assert.deepEqual(peer.calls[0]?.input, 'in');
    assert.equal(peer.opened, 1);
  });

  it('repeats a safe call after a lost connection on a new session, with the same key', async () => {
    peer.answer = (n) => (n === 1 ? Promise.reject(new Error('gone')) : Promise.resolve('ok'));
    const { send } = start();
    const result = send({ payload: 1 });
    await clock.advance(5000);
    assert.equal((await result)[0]?.payload, 'ok');
    assert.equal(peer.opened, 2);
    assert.equal(peer.closed, 1);
    assert.equal(peer.calls[0]?.key, peer.calls[1]?.key);
  });

  it('ends an interrupted once-only call as outcome unknown and does not repeat it', async () => {
    peer.answer = () => Promise.reject(new Error('gone'));
    const { send } = start();
    const msg = { payload: 1, mode: 'once' };
    const failure = await failureOf(send(msg));
    assert.equal(failure.code, 'OUTCOME_UNKNOWN');
    assert.equal(peer.calls.length, 1);
    assert.equal((msg as { failure?: { code: string } }).failure?.code, 'OUTCOME_UNKNOWN');
  });

  it('knows that a once-only call which met no session was not sent', async () => {
    peer.open = () => new Promise(() => {});
    const { send } = start({ timeout: '1s', retryStrategy: 'none' });
    const failing = failureOf(send({ payload: 1, mode: 'once' }));
    await clock.advance(1500);
    assert.equal((await failing).code, 'CALL_TIMEOUT');
  });

  it('refuses a wrong override with a sentence that names the property', async () => {
    const { send } = start();
    const failure = await failureOf(send({ payload: 1, mode: 'sometimes' }));
    assert.equal(failure.kind, 'rejected');
    assert.match(failure.message, /msg\.mode cannot be used: Mode must be one of safe, once/);
    assert.equal(peer.calls.length, 0);
  });

  it('never says connected while the peer is away, and recovers by itself', async () => {
    peer.open = () => Promise.reject(new Error('gone'));
    const { send, recorded } = start({ retryStrategy: 'none' });
    await clock.advance(10);
    const failure = await failureOf(send({ payload: 1 }));
    assert.equal(failure.code, 'NOT_CONNECTED');
    await clock.advance(300);
    assert.equal(recorded.statuses.at(-1)?.level, 'bad');
    peer.open = () => Promise.resolve();
    await clock.advance(40_000);
    assert.equal((await send({ payload: 1 }))[0]?.payload, 1);
    await clock.advance(1000);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'good', text: 'connected' });
  });

  it('reopens a session that ended by itself', async () => {
    start();
    await clock.advance(10);
    peer.lost(new Error('gone'));
    await clock.advance(2000);
    assert.equal(peer.opened, 2);
  });

  it('gives up opening at its limit and closes a session that arrives too late', async () => {
    let release: () => void = () => {};
    peer.open = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const { recorded } = start({}, { openTimeout: '5s' });
    await clock.advance(5500);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'bad', text: 'no answer' });
    release();
    await clock.advance(100);
    assert.equal(peer.closed, 1);
  });

  it('cancels what is still running when the node closes', async () => {
    peer.answer = () => new Promise(() => {});
    const { send, node } = start({ timeout: '1h' });
    const failing = failureOf(send({ payload: 1 }));
    await clock.advance(10);
    const closing = node.close();
    await clock.advance(6000);
    await closing;
    assert.equal((await failing).kind, 'cancelled');
  });

  it('logs an unknown error with its stack, once, and does not repeat the call', async () => {
    peer.answer = () => Promise.reject(new TypeError('odd'));
    const { send, linkRecord } = start();
    const failure = await failureOf(send({ payload: 1 }));
    assert.equal(failure.kind, 'unclassified');
    assert.equal(peer.calls.length, 1);
    assert.equal(linkRecord.lines.filter((line) => /TypeError: odd/.test(line)).length, 1);
  });

  it('turns yellow while a call could do only part of its work', async () => {
    const { send, recorded } = start();
    await send({ payload: 'partly' });
    await clock.advance(1000);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'warn', text: 'connected: 1 of 2 bad' });
    await send({ payload: 'wholly' });
    await clock.advance(1000);
    assert.deepEqual(recorded.statuses.at(-1), { level: 'good', text: 'connected: 2 tags' });
  });

  it('adds provenance when asked', async () => {
    const { send } = start({ provenance: true });
    const [out] = await send({ payload: 1 });
    const trace = out?.provenance as Record<string, unknown>;
    assert.equal(trace.operation, 'ask safe');
    assert.equal(trace.source, 'live');
    assert.equal(trace.attempts, 1);
  });

  it('reuses answers of safe calls while they are fresh', async () => {
    const { send } = start({ cacheFor: '1m' });
    await send({ payload: 'a' });
    assert.equal((await send({ payload: 'a' }))[0]?.payload, 1);
    await send({ payload: 'b' });
    assert.equal(peer.calls.length, 2);
    await send({ payload: 'a', topic: 'fresh' });
    assert.equal(peer.calls.length, 3);
  });

  it('counts every message exactly once', async () => {
    peer.answer = (n) =>
      n % 2 ? Promise.resolve(n) : Promise.reject(new Failure('rejected', 'PEER_REJECTED', 'No.'));
    const { send } = start();
    await Promise.allSettled([1, 2, 3, 4, 5].map((payload) => send({ payload })));
    const series = harness.runtime.metrics.snapshot().find((one) => one.labels.role === 'node');
    assert.ok(series);
    const { counters, queued } = series;
    assert.deepEqual(
      [counters.in, counters.out, counters.failed, counters.cancelled, queued],
      [5, 3, 2, 0, 0],
    );
  });
});
