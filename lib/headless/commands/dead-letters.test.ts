import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, silentLog, systemClock, type Clock } from '../../core';
import { openMemoryStore } from '../../queue/memory/store';
import type { DeadLetters, QueueStore } from '../../queue/types';
import { Redactor } from '../../secrets/redact';
import { startControl } from '../../red/dead-letters/control-server';
import { addDead, PRESS } from '../../../test/helpers/dead-letters';
import { main } from '../cli';
import { deadLetters, type Surroundings } from './dead-letters';
import { columnsOf } from './harmless';

interface Done {
  readonly code: number;
  readonly out: string[];
  readonly err: string[];
}

describe('headless: dead-letters command', () => {
  let userDir: string;
  let store: QueueStore;
  let dead: DeadLetters;
  let opened = 0;
  let columns: number | undefined;
  let user: number | undefined;

  /** The memory store stays as it is between two openings, as a file would. */
  const openStore = (): Promise<QueueStore> => {
    opened += 1;
    return Promise.resolve({ ...store, dead, close: () => Promise.resolve() });
  };
  const run = async (...args: string[]): Promise<Done> => {
    const out: string[] = [];
    const err: string[] = [];
    const around: Surroundings = { clock: systemClock, user, columns, openStore };
    const code = await deadLetters(
      [...args, '-u', userDir],
      (line) => out.push(line),
      (line) => err.push(line),
      around,
    );
    return { code, out, err };
  };

  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
    mkdirSync(join(userDir, 'holdfast'), { mode: 0o700 });
    writeFileSync(join(userDir, 'holdfast', 'queues.db'), '');
    store = openMemoryStore({ clock: systemClock });
    assert.ok(store.dead);
    dead = store.dead;
    opened = 0;
    columns = undefined;
    user = process.getuid?.();
  });
  afterEach(async () => {
    await store.close();
    rmSync(userDir, { recursive: true });
  });

  it('lists, shows, replays and purges while nothing runs', async () => {
    await addDead(dead, { id: 'a', msg: { payload: { bolt: 7 } } });
    await addDead(dead, { id: 'b', code: 'EXPIRED' });
    const list = await run('list');
    assert.equal(list.code, 0);
    assert.match(list.out[0] ?? '', /^NO +LAST FAILURE +TRIES +CODE +NODE +REASON$/);
    assert.match(list.out[1] ?? '', /^1 +2026-01-01 00:00Z +1 +PEER_REJECTED +Press 4 +The server/);
    assert.match(list.out.at(-1) ?? '', /^2 shown of 2 dead letters, \d+ bytes\.$/);
    assert.deepEqual((await run('list', '--limit', '1')).out.at(-1), 'More: --after 1');
    const shown = await run('show', '1');
    assert.match(shown.out.join('\n'), /reason {4}The server refused the order\.[^]*"bolt": 7/);
    const text = await run('show', '1', '--text');
    assert.deepEqual(text.out, ['{"payload":{"bolt":7}}']);
    const edited = join(userDir, 'edited.json');
    writeFileSync(edited, '{"payload":{"bolt":8}}\n');
    assert.deepEqual(await run('replay', '1', '--message', edited), {
      code: 0,
      out: ['1 dead letter put back into the queues.'],
      err: [],
    });
    assert.deepEqual((await run('purge', '--code', 'EXPIRED')).out, ['1 dead letter removed.']);
    assert.equal((await dead.stats()).records, 0);
  });

  it('speaks JSON to machines', async () => {
    await addDead(dead, { reason: 'bell \u0007 csi \u009b end' });
    const { out } = await run('list', '--json');
    assert.doesNotMatch(out.join(''), /[\u0007\u009b]/);
    const page = JSON.parse(out.join('')) as { letters: { reason: string }[] };
    assert.equal(page.letters[0]?.reason, 'bell \u0007 csi \u009b end');
  });

  it('makes whatever a message brings harmless', async () => {
    const evil = '\u001b[2J\u001b]0;owned\u0007\u202e\u009b31m\r\nNO  fake line';
    const source = { node: evil, name: evil, type: evil, flow: evil };
    const number = await addDead(dead, {
      id: evil,
      reason: evil,
      code: evil,
      source,
      msg: { payload: evil },
    });
    const outputs = [await run('list'), await run('show', String(number)), await run('show', '1', '--text')];
    for (const { out } of outputs) {
      assert.doesNotMatch(out.join('').replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
      assert.ok(
        !out
          .join('\n')
          .split('\n')
          .some((line) => line.startsWith('NO  fake')),
      );
    }
    assert.deepEqual(JSON.parse(outputs[2]?.out.join('') ?? ''), { payload: evil });
    const missing = await run('show', '7', `--${evil}`);
    assert.doesNotMatch(missing.err.join('').replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  });

  it('fits 80 to 120 columns', async () => {
    const source = { ...PRESS, name: '圧力センサー'.repeat(9) };
    await addDead(dead, { source, reason: 'Because. '.repeat(60), code: 'A_VERY_LONG_CODE_'.repeat(4) });
    for (const [given, most] of [
      [undefined, 80],
      [40, 80],
      [100, 100],
      [500, 120],
    ] as const) {
      columns = given;
      const { out } = await run('list');
      const widest = Math.max(...out.map((line) => columnsOf(line)));
      assert.ok(widest <= most && widest > most - 10, `${widest} columns of ${most}`);
    }
  });

  it('ends with 2 when the command is wrong, and changes nothing', async () => {
    await addDead(dead);
    for (const [args, sentence] of [
      [['walk'], /holdfast dead-letters <action>/],
      [['purge'], /every dead letter.*--yes/],
      [['purge', '--all'], /--yes/],
      [['replay'], /at least one condition/],
      [['replay', '--all', '--queue', 'q'], /not both/],
      [['purge', '--que', 'orders'], /--que/],
      [['purge', '--kind', 'bad'], /"kind" must be one of/],
      [['purge', 'one'], /whole number/],
      [['show'], /the one dead letter/],
      [['list', '--limit', '501'], /1 to 500/],
      [['list', '--yes'], /belongs to purge/],
      [['purge', '1', '--message', 'x'], /belongs to replay/],
      [['replay', '1', '--message', join(tmpdir(), 'no', 'such')], /no such file/],
      [['replay', '1', '--since', 'yesterday'], /must be a time/],
    ] as const) {
      const { code, err, out } = await run(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(err.join('\n'), sentence);
      assert.deepEqual(out, []);
    }
    assert.equal((await dead.stats()).records, 1);
    assert.equal((await run('purge', '--yes')).code, 0);
    assert.equal((await dead.stats()).records, 0);
  });

  it('ends with 1 when it cannot be done', async () => {
    const missing = await run('show', '7');
    assert.equal(missing.code, 1);
    assert.match(missing.err.join(), /no dead letter 7/);
    assert.equal((await run('replay', '7')).code, 1);
    assert.equal((await run('purge', '--queue', 'none')).code, 0);
  });

  it('makes no store where there is none', async () => {
    rmSync(join(userDir, 'holdfast'), { recursive: true });
    const list = await run('list');
    assert.deepEqual([list.code, list.out], [0, ['0 shown of 0 dead letters, 0 bytes.']]);
    assert.equal((await run('purge', '--yes')).code, 1);
    const lost = await run('list', '-u', join(userDir, 'lost'));
    assert.equal(opened, 0);
    assert.equal(lost.code, 0, 'the last -u counts');
    const other: string[] = [];
    const code = await main(
      ['dead-letters', 'list', '-u', join(userDir, 'lost')],
      () => {},
      (line) => other.push(line),
    );
    assert.equal(code, 2);
    assert.match(other.join(), /There is no folder .*lost/);
  });

  it('leaves the store of another user alone', async () => {
    user = (process.getuid?.() ?? 0) + 1;
    const { code, err } = await run('list');
    assert.equal(code, 2);
    assert.match(err.join(), /belongs to another user.*sudo -u/);
    assert.equal(opened, 0);
  });

  it('talks to the runtime that holds the store', async () => {
    await addDead(dead);
    const folder = join(userDir, 'holdfast');
    const control = await startControl({
      folder,
      store,
      redactor: new Redactor(),
      clock: systemClock,
      log: silentLog,
    });
    try {
      assert.match((await run('list')).out.join('\n'), /PEER_REJECTED/);
      assert.deepEqual((await run('purge', '1')).out, ['1 dead letter removed.']);
      const missing = await run('purge', '1');
      assert.deepEqual([missing.code, missing.err.length], [1, 1]);
      assert.equal(opened, 0);
    } finally {
      await control.close();
    }
  });

  it('waits for a runtime that is just starting', async () => {
    await addDead(dead);
    const folder = join(userDir, 'holdfast');
    const serve = (): ReturnType<typeof startControl> =>
      startControl({ folder, store, redactor: new Redactor(), clock: systemClock, log: silentLog });
    let control: Awaited<ReturnType<typeof serve>> | undefined;
    const locked = async (): Promise<QueueStore> => {
      control ??= await serve();
      throw new Failure('config', 'QUEUE_LOCKED', 'Another process uses it.');
    };
    const out: string[] = [];
    // The pauses between its tries take no time here; waiting for an answer does.
    const timer: Clock['timer'] = (ms, fn) => systemClock.timer(ms > 1000 ? ms : 0, fn);
    const around = { clock: { ...systemClock, timer }, user, columns, openStore: locked };
    const code = await deadLetters(['list', '-u', userDir], (line) => out.push(line), undefined, around);
    await control?.close();
    assert.equal(code, 0, out.join('\n'));
    assert.match(out.join('\n'), /PEER_REJECTED/);
  });

  it('explains itself', async () => {
    const out: string[] = [];
    assert.equal(await main(['dead-letters', '--help'], (line) => out.push(line)), 0);
    assert.match(out.join('\n'), /-u, --userDir/);
    assert.ok(
      out
        .join('\n')
        .split('\n')
        .every((line) => line.length <= 80),
    );
    assert.equal(readFileSync(join(userDir, 'holdfast', 'queues.db'), 'utf8'), '');
  });
});
