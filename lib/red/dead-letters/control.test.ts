import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLog, systemClock } from '../../core';
import { askRuntime } from '../../headless/commands/control-client';
import { openMemoryStore } from '../../queue/memory/store';
import type { QueueStore } from '../../queue/types';
import { Redactor } from '../../secrets/redact';
import { addDead } from '../../../test/helpers/dead-letters';
import { failureOf } from '../../../test/helpers/failure-of';
import { VirtualClock } from '../../../test/helpers/virtual-clock';
import { readAddress } from './control-address';
import { onLines } from './control-lines';
import { startControl, type Control } from './control-server';
import { controlled } from './controlled';

describe('dead letters: control channel', () => {
  const clock = new VirtualClock();
  const redactor = new Redactor();
  let root: string;
  let folder: string;
  let store: QueueStore;
  let control: Control;
  const ask = (action: 'list' | 'show' | 'purge', request: unknown): ReturnType<typeof askRuntime> =>
    askRuntime(folder, action, request, systemClock);
  const serve = async (at = folder): Promise<void> => {
    control = await startControl({ folder: at, store, redactor, clock, log: silentLog });
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'control-test-'));
    folder = join(root, 'holdfast');
    mkdirSync(folder, { mode: 0o700 });
    store = openMemoryStore({ clock });
    control = { close: () => Promise.resolve() };
  });
  afterEach(async () => {
    await control.close();
    await store.close();
    rmSync(root, { recursive: true });
    assert.equal(clock.pending, 0, 'timers left');
  });

  /** Raw lines of one connection. */
  const dial = async (): Promise<{ socket: Socket; answers: string[] }> => {
    const socket = connect((await readAddress(folder)) ?? '');
    await once(socket, 'connect');
    const answers: string[] = [];
    onLines(
      socket,
      1e6,
      (text) => answers.push(text),
      () => {},
    );
    return { socket, answers };
  };

  it('answers, redacts, refuses with the reason, and is gone after close', async () => {
    await serve();
    redactor.add('canary-91');
    if (store.dead)
      await addDead(store.dead, { msg: { payload: 'canary-91' }, reason: 'Key canary-91 is wrong.' });
    const shown = await ask('show', { number: 1 });
    assert.ok(shown && 'message' in shown && shown.message === '{"payload":"•••"}');
    assert.equal(shown.reason, 'Key ••• is wrong.');
    redactor.remove('canary-91');
    assert.equal((await failureOf(ask('show', { number: 2 }))).code, 'DEAD_LETTER_UNKNOWN');
    assert.match((await failureOf(ask('purge', { que: 'x' }))).message, /"que" is not a condition/);
    assert.deepEqual(await ask('purge', { numbers: [1] }), { purged: 1 });
    await control.close();
    assert.equal(await ask('list', {}), undefined);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('can be reached by this user alone', async function () {
    if (process.platform === 'win32') return;
    await serve();
    const address = (await readAddress(folder)) ?? '';
    assert.equal(dirname(address), folder);
    assert.equal(lstatSync(address).mode & 0o777, 0o600);
    assert.equal(lstatSync(join(folder, 'control.json')).mode & 0o777, 0o600);
  });

  it('moves to a private folder where its own is open to others or its path too long', async () => {
    const long = join(root, 'x'.repeat(120));
    mkdirSync(long, { mode: 0o700 });
    const open = join(root, 'open');
    mkdirSync(open);
    chmodSync(open, 0o755);
    for (const place of [long, open]) {
      folder = place;
      await serve();
      const address = (await readAddress(place)) ?? '';
      assert.notEqual(dirname(address), place);
      assert.equal(lstatSync(dirname(address)).mode & 0o777, 0o700);
      assert.ok(await ask('list', {}));
      await control.close();
      assert.equal(existsSync(dirname(address)), false);
    }
  });

  it('takes over from a process that was killed', async () => {
    await serve();
    // What a killed process leaves: its socket file and the file that names it.
    const left = readFileSync(join(folder, 'control.json'));
    await control.close();
    const dead = createServer().listen(join(folder, 'control.sock'));
    await once(dead, 'listening');
    const kept = join(folder, 'kept');
    linkSync(join(folder, 'control.sock'), kept);
    await new Promise((resolve) => dead.close(resolve));
    renameSync(kept, join(folder, 'control.sock'));
    writeFileSync(join(folder, 'control.json'), left);
    writeFileSync(join(folder, 'control.json.new'), 'half a');
    assert.equal(await ask('list', {}), undefined);
    await serve();
    assert.ok(await ask('list', {}));
  });

  it('removes nothing but sockets of its own', async () => {
    const treasure = join(root, 'treasure');
    mkdirSync(treasure);
    const live = createServer().listen(join(treasure, 'control.sock'));
    await once(live, 'listening');
    writeFileSync(join(folder, 'control.sock'), 'a file of the user');
    const tampered = { version: 1, address: join(treasure, 'control.sock') };
    writeFileSync(join(folder, 'control.json'), JSON.stringify(tampered));
    await serve();
    assert.ok(existsSync(tampered.address));
    assert.equal(readFileSync(join(folder, 'control.sock'), 'utf8'), 'a file of the user');
    assert.ok(await ask('list', {}), 'serves elsewhere');
    await new Promise((resolve) => live.close(resolve));
  });

  it('follows no link in place of the file that names it', async () => {
    writeFileSync(join(root, 'other.json'), '{"version":1,"address":"/nowhere"}');
    symlinkSync(join(root, 'other.json'), join(folder, 'control.json'));
    assert.equal(await readAddress(folder), undefined);
    await serve();
    assert.ok(await ask('list', {}));
    assert.equal(readFileSync(join(root, 'other.json'), 'utf8'), '{"version":1,"address":"/nowhere"}');
  });

  it('says so to a command of another version, and to nonsense', async () => {
    await serve();
    const { socket, answers } = await dial();
    socket.write('{"holdfast":2,"action":"list"}\nno json\nnull\n{"holdfast":1,"action":"__proto__"}\n');
    while (answers.length < 4) await once(socket, 'data');
    assert.match(answers[0] ?? '', /version 1 of the control channel/);
    assert.match(answers[1] ?? '', /one JSON object a line/);
    assert.match(answers[2] ?? '', /version 1/);
    assert.match(answers[3] ?? '', /knows list, show, replay, purge/);
    socket.destroy();
  });

  it('ends a client that says nothing, and those that are too many', async () => {
    await serve();
    const silent = await dial();
    const gone = once(silent.socket, 'close');
    // The server accepts in its own turn.
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(30_000);
    await gone;
    const crowd = await Promise.all(Array.from({ length: 12 }, dial));
    const full = crowd.filter(({ socket }) => socket.destroyed);
    for (let i = 0; full.length < 4 && i < 1000; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      full.splice(0, full.length, ...crowd.filter(({ socket }) => socket.destroyed));
    }
    assert.equal(full.length, 4);
    for (const { socket } of crowd) socket.destroy();
  });

  it('bounds a line', () => {
    const lines: string[] = [];
    let tooLong = 0;
    let hear: (data: Buffer) => void = () => {};
    const socket = { on: (_: string, fn: (data: Buffer) => void) => (hear = fn) } as unknown as Socket;
    onLines(
      socket,
      10,
      (text) => lines.push(text),
      () => (tooLong += 1),
    );
    hear(Buffer.from('one\ntw'));
    hear(Buffer.from('o\n0123456789\n'));
    assert.deepEqual(lines, ['one', 'two', '0123456789']);
    hear(Buffer.from('01234567890'));
    assert.equal(tooLong, 1);
  });

  it('leaves the store usable where no channel can be, and nothing behind', async () => {
    const usual = process.env['TMPDIR'];
    const temporary = join(root, 'tmp');
    mkdirSync(temporary);
    process.env['TMPDIR'] = temporary;
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (text: string) => void warnings.push(text) };
    const used = await controlled(store, { folder: join(root, 'missing'), redactor, clock, log });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cannot reach this runtime/);
    assert.deepEqual(await used.names(), []);
    await used.close();
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
    assert.deepEqual(readdirSync(temporary), []);
  });
});
