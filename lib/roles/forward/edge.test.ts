/** Cases of store and forward that a review or the random schedules found, and a canary for secrets on the disk. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, systemClock } from '../../core';
import { openFileStore } from '../../queue/file/store';
import { localQueues } from '../../queue/local';
import { Harness } from '../../../test/helpers/harness';
import { Bench, busy, conserved, gone, message, refused } from './bench.test';
import { trouble } from './trouble.test';

describe('store and forward: at the edge', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await new Bench().begin();
  });
  afterEach(() => bench.end());

  const pause = (ms: number) => new Promise<void>((resolve) => void bench.clock.timer(ms, resolve));

  it('loses nothing of two lines whose messages have the same key', async () => {
    let failed = false;
    bench.answer = async (body) => {
      await pause(body === 'b1' ? 500 : 100);
      if (body !== 'b1' || failed) return;
      failed = true;
      throw busy();
    };
    const { send, meter } = bench.node({ keepOrder: 'key' });
    const same = { idempotencyKey: 'same' };
    const sends = [
      send(message('a1', { topic: 'a', ...same })),
      send(message('b1', { topic: 'b', ...same })),
      send(message('b2', { topic: 'b', ...same })),
    ];
    await bench.clock.advance(60_000);
    await Promise.all(sends);
    assert.deepEqual(bench.taken, ['a1', 'b1', 'b2']);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('sends nothing of a line from a store that opens while one of it is under way', async () => {
    bench.up = false;
    const first = bench.node();
    const stored = first.send(message('old'));
    await bench.clock.advance(20_000);
    await stored;
    await bench.close();
    bench.up = true;
    bench.answer = () => pause(20_000);
    const is = { broken: false, shut: true };
    const queues = trouble(bench.queues, is);
    bench.harness = new Harness({ clock: bench.clock, random: () => 0.5, queues });
    const { send } = bench.node({ timeout: '1h' });
    await bench.clock.advance(1000);
    const sent = send(message('new'));
    is.shut = false;
    await bench.clock.advance(60_000);
    await sent;
    assert.equal(bench.mostRunning, 1);
    assert.deepEqual(bench.taken, ['new', 'old']);
  });

  it('keeps the order behind a call that has not noticed the end of the link', async () => {
    let fail = true;
    bench.answer = async (body) => {
      await pause(1000);
      if (fail && body === 1) throw gone();
    };
    const { send, connection } = bench.node();
    const first = send(message(1));
    await bench.clock.advance(500);
    connection.met(connection.current, gone());
    const second = send(message(2));
    await bench.clock.advance(500);
    fail = false;
    await bench.clock.advance(60_000);
    await Promise.all([first, second]);
    assert.deepEqual(bench.taken, [1, 2]);
  });

  it('counts replays and purges by others', async () => {
    bench.answer = () => {
      throw refused();
    };
    const { send, meter, recorded } = bench.node();
    await send(message('x'));
    bench.up = false;
    bench.answer = () => {};
    const sent = send(message('y'));
    await bench.clock.advance(1000);
    await sent;
    await bench.store.dead?.replay({});
    await bench.clock.advance(1500);
    assert.equal(meter().queued, 2);
    assert.match(recorded.statuses.at(-1)?.text ?? '', /2 stored/);
    bench.up = true;
    await bench.clock.advance(60_000);
    assert.equal(meter().queued, 0);
    assert.ok(conserved(meter()), JSON.stringify(meter()));
  });

  it('never repeats a joined call that a stop interrupts and that must not be repeated', async () => {
    bench.answer = () => new Promise(() => {});
    const { send } = bench.node({ timeout: '1h' }, {}, true);
    const sent = send(message('valve', { mode: 'once' }));
    await bench.clock.advance(10);
    await bench.restart();
    await sent;
    assert.equal((await bench.letters())[0]?.code, 'OUTCOME_UNKNOWN');
  });

  it('goes on after a store that did not take the end of a delivery', async () => {
    const is = { broken: false };
    const queues = trouble(bench.queues, is);
    bench.harness = new Harness({ clock: bench.clock, random: () => 0.5, queues });
    let fail = true;
    bench.answer = () => {
      is.broken = fail;
      if (fail) throw busy();
    };
    const { send } = bench.node({ storeWhen: 'always' });
    await send(message(1));
    await bench.clock.advance(100);
    is.broken = fail = false;
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.taken, [1]);
  });

  it('delivers what waits after the setting was changed to fail, and says so', async () => {
    bench.up = false;
    const sends = [1, 2].map((n) => n);
    const before = bench.node();
    const stored = sends.map((n) => before.send(message(n)));
    await bench.clock.advance(20_000);
    await Promise.all(stored);
    await bench.close();
    bench.up = true;
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-leftover-'));
    mkdirSync(join(directory, 'holdfast'));
    writeFileSync(join(directory, 'holdfast', 'queues.db'), '');
    const { clock, queues } = bench;
    bench.harness = new Harness({ clock, random: () => 0.5, queues, directory });
    const { recorded } = bench.node({ undelivered: 'fail' });
    await clock.advance(10_000);
    rmSync(directory, { recursive: true });
    assert.deepEqual(bench.taken, [1, 2]);
    assert.ok(
      recorded.lines.some((line) => line.startsWith('warn 2 messages')),
      recorded.lines.join(),
    );
  });

  it('takes any order key', async () => {
    const { send } = bench.node({ keepOrder: 'key', storeWhen: 'always' });
    const keys = [1n, null, '__proto__', `${'x'.repeat(199)}😀`, '\0', { a: 1 }];
    await Promise.all(keys.map((topic, n) => send(message(n, { topic }))));
    await bench.clock.advance(10_000);
    assert.equal(bench.taken.length, keys.length);
  });
});

describe('store and forward: the bytes on the disk', () => {
  it('hold no secret that a failure tells', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-canary-'));
    const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
    const path = join(directory, 'queues.db');
    const bench = new Bench();
    const queues = localQueues(() => openFileStore({ path, clock: systemClock, log }));
    bench.harness = new Harness({ clock: bench.clock, random: () => 0.5, queues });
    bench.harness.runtime.redactor.add('canary-5f2a91c7');
    bench.answer = () => {
      throw new Failure('rejected', 'PEER_REJECTED', 'Refused: token canary-5f2a91c7 is unknown.');
    };
    try {
      const { send, meter } = bench.node();
      await send(message('kept'));
      assert.equal(meter().counters.dead, 1);
      const bytes = Buffer.concat(readdirSync(directory).map((name) => readFileSync(join(directory, name))));
      assert.ok(bytes.includes('kept'), 'the message is on the disk');
      assert.ok(!bytes.includes('canary-5f2a91c7'), 'the secret is on the disk');
    } finally {
      await bench.close();
      rmSync(directory, { recursive: true });
    }
  });
});
