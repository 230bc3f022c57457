import assert from 'node:assert/strict';
import ModbusRTU from 'modbus-serial';
import { Scope, isFailure } from '../../lib/core';
import type { Failure } from '../../lib/core';
import { settle, VirtualClock } from '../../test/helpers/virtual-clock';
import { TagBook } from './book';
import { brief, connect, exception, Peer, registers, row, SETTINGS } from './peer.test';
import type { Frame } from './peer.test';
import { ping } from './ping';
import { readTags } from './read';
import type { ReadPlan } from './read';
import { Session } from './session';

describe('modbus: units and time', () => {
  it('a dead unit delays no other and is only probed', async () => {
    const { clock, peer, lost, read } = connect();
    peer.reply = (frame) => (frame.unit === 1 ? registers(frame, 7) : undefined);
    await read(row(1, 0));
    const slow = read(row(2, 0), row(2, 200), row(2, 400), row(1, 1));
    assert.deepEqual(brief(await read(row(1, 0))), [7], 'answered while the other is waited for');
    await clock.advance(1000);
    assert.deepEqual(brief(await slow), ['UNIT_TIMEOUT', 'UNIT_SILENT', 'UNIT_SILENT', 7]);

    const before = peer.to(2).length;
    for (let second = 0; second < 60; second += 1) {
      assert.deepEqual(brief(await read(row(2, 0), row(2, 200), row(1, 0))), [
        'UNIT_SILENT',
        'UNIT_SILENT',
        7,
      ]);
      await clock.advance(1000);
    }
    assert.ok(
      peer.to(2).length - before <= 7,
      `${peer.to(2).length - before} requests to a dead unit in a minute`,
    );
    assert.deepEqual(lost, []);

    peer.reply = (frame) => registers(frame, 8);
    await clock.advance(10_000);
    assert.deepEqual(brief(await read(row(2, 0), row(1, 0))), [8, 8]);
  });

  it('a unit that the gateway cannot reach is left alone until the next probe', async () => {
    const { clock, peer, read } = connect();
    peer.reply = (frame) => (frame.unit === 1 ? registers(frame, 7) : exception(frame, 11));
    const readings = await read(row(2, 0), row(2, 200), row(1, 0));
    assert.deepEqual(brief(readings), ['GATEWAY_TARGET', 'UNIT_SILENT', 7]);
    await clock.advance(9000);
    await read(row(2, 0));
    assert.equal(peer.to(2).length, 1);
    await clock.advance(1000);
    assert.equal(peer.to(2).length, 2);
  });

  it('a peer that accepts and never answers is a lost connection', async () => {
    const { clock, lost, read } = connect();
    const reading = read(row(1, 0), row(1, 200));
    const checked = assert.rejects(reading, (error) => isFailure(error) && error.kind === 'disconnected');
    await clock.advance(1000);
    await checked;
    assert.equal(lost.length, 1);
    assert.equal(clock.pending, 0);
  });

  it('silence of one unit is checked against another before the connection is given up', async () => {
    const { clock, peer, lost, read } = connect();
    peer.reply = (frame) => registers(frame, 7);
    await read(row(1, 0), row(2, 0));
    await clock.advance(1);
    peer.reply = (frame) => (frame.unit === 1 ? registers(frame, 7) : undefined);
    const alive = read(row(2, 0));
    await clock.advance(2000);
    assert.deepEqual(brief(await alive), ['UNIT_TIMEOUT']);
    assert.deepEqual(lost, []);

    await clock.advance(1);
    peer.reply = () => undefined;
    const dead = read(row(1, 0));
    const checked = assert.rejects(dead, (error) => isFailure(error) && error.kind === 'disconnected');
    await clock.advance(2000);
    await checked;
    assert.equal(lost.length, 1);
  });

  it('asks another unit each time one falls silent, not only the first time', async () => {
    const { clock, peer, lost, read } = connect();
    peer.reply = (frame) => registers(frame, 7);
    await read(row(1, 0), row(2, 0), row(3, 0));
    for (const dead of [2, 3]) {
      await clock.advance(5);
      peer.reply = (frame) => (frame.unit === 1 ? registers(frame, 7) : undefined);
      const asked = peer.to(1).length;
      const reading = read(row(dead, 0));
      await clock.advance(1000);
      assert.deepEqual(brief(await reading), ['UNIT_TIMEOUT']);
      assert.equal(peer.to(1).length, asked + 1);
    }
    assert.deepEqual(lost, []);
  });

  it('keeps nothing of requests that were never answered', async () => {
    const clock = new VirtualClock();
    const peer = new Peer();
    let kept = (): number => 0;
    class Client extends ModbusRTU {
      constructor(port: unknown) {
        super(port);
        kept = () => Object.keys((this as unknown as { _transactions: object })._transactions).length;
      }
    }
    const lost: Failure[] = [];
    const session = new Session({
      socket: peer,
      Client: Client,
      settings: SETTINGS,
      clock,
      lost: (failure) => lost.push(failure),
    });
    peer.reply = (frame) => (frame.unit === 1 ? registers(frame, 7) : undefined);
    const plan = (unit: number): ReadPlan => new TagBook([row(unit, 0)], 'protocol').on(session).plan([]);
    const [alive, dead] = [plan(1), plan(2)];
    for (let i = 0; i < 200; i += 1) {
      const silent = readTags(session, dead, new Scope(), clock);
      await clock.advance(500);
      await readTags(session, alive, new Scope(), clock);
      await clock.advance(9500);
      await silent;
    }
    assert.deepEqual(lost, []);
    assert.ok(peer.to(2).length >= 200, `${peer.to(2).length} requests without an answer`);
    assert.ok(kept() < 10, `${kept()} transactions are kept`);
    session.close();
  });

  it('does not repeat a refused request whose caller has left', async () => {
    const { clock, peer, session, read } = connect({ gap: 0 });
    peer.reply = (frame) => {
      clock.timer(2, () => peer.push(registers(frame, 7)));
      return undefined;
    };
    const rows = [0, 50, 100, 150].map((address) => row(1, address));
    for (let i = 0; i < 40; i += 1) {
      const scan = read(...rows);
      await clock.advance(20);
      await scan;
    }
    assert.ok(session.windowOf(1) >= 4);
    peer.reply = () => undefined;
    const before = peer.frames.length;
    const scope = new Scope();
    const plan = new TagBook(rows, 'protocol').on(session).plan([]);
    const reading = assert.rejects(readTags(session, plan, scope, clock));
    const asked = peer.frames.slice(before);
    assert.equal(asked.length, 4);
    scope.abort();
    await reading;
    for (const frame of asked) peer.push(exception(frame, 6));
    await settle();
    assert.equal(peer.frames.length, before + 4);
  });

  it('one slow answer among others costs only its own tags', async () => {
    const { clock, peer, read } = connect({ gap: 0 });
    peer.reply = (frame) => (frame.address === 50 ? undefined : registers(frame, 7));
    const reading = read(...[0, 50, 100, 150].map((address) => row(1, address)));
    await clock.advance(1000);
    const first = brief(await reading);
    assert.deepEqual(first.slice(0, 2), [7, 'UNIT_TIMEOUT']);
    await clock.advance(1);
    assert.deepEqual(brief(await read(row(1, 0))), [7], 'the unit answered its probe');
  });

  it('busy makes the window smaller and is a bad reading, not a failed call', async () => {
    const { peer, session, read } = connect({ gap: 0 });
    const rows = Array.from({ length: 40 }, (_, i) => row(1, i * 10));
    peer.reply = (frame) => registers(frame, 7);
    for (let i = 0; i < 30; i += 1) await read(...rows);
    peer.reply = (frame) => (frame.address === 100 ? exception(frame, 6) : registers(frame, 7));
    const size = session.windowOf(1);
    const statuses = (await read(...rows)).map(({ status }) => status).filter((status) => status !== '');
    assert.deepEqual(statuses, ['DEVICE_BUSY']);
    assert.ok(size === 1 || session.windowOf(1) < size);
  });

  it('lets no long queue of one unit starve another where requests go one at a time', async () => {
    const { peer, read } = connect({ exclusive: true, gap: 0 });
    const long = read(...Array.from({ length: 20 }, (_, i) => row(1, i * 50)));
    const short = read(row(2, 0), row(2, 50));
    let done = false;
    void short.then(() => (done = true));
    for (let i = 0; i < 22; i += 1) {
      const frame = peer.frames[i];
      assert.ok(frame);
      peer.push(registers(frame, 7));
      await settle();
      if (i === 5) assert.ok(done, 'two requests wait for twenty of another unit');
    }
    assert.equal((await long).length, 20);
  });

  it('sends one request at a time where the connection takes no more', async () => {
    const { clock, peer, read } = connect({ exclusive: true, gap: 0 });
    const reading = read(row(1, 0), row(1, 50), row(2, 0), row(3, 0));
    const answered: Frame[] = [];
    for (let i = 0; i < 4; i += 1) {
      assert.equal(peer.frames.length, i + 1);
      const frame = peer.frames[i];
      assert.ok(frame);
      answered.push(frame);
      peer.push(registers(frame, i));
      await settle();
    }
    assert.equal((await reading).filter(({ quality }) => quality === 'good').length, 4);
    await clock.advance(5000);
    assert.equal(clock.pending, 0);
  });
});

describe('modbus: ping', () => {
  const call = { attempt: 1, key: 'ping', scope: new Scope() };

  it('asks the unit that answered last, and takes an exception for a sign of life', async () => {
    const { clock, peer, session, read } = connect();
    peer.reply = (frame) => registers(frame, 7);
    await read(row(7, 40));
    await clock.advance(1);
    peer.reply = (frame) => exception(frame, 2);
    await ping(session, call);
    assert.deepEqual(
      peer.frames.map(({ unit, address }) => [unit, address]),
      [
        [7, 40],
        [7, 40],
      ],
    );
  });

  it('is content when anything else answers meanwhile', async () => {
    const { clock, peer, session, read, lost } = connect();
    peer.reply = (frame) => (frame.unit === 7 ? registers(frame, 7) : undefined);
    const pinged = ping(session, call);
    await clock.advance(500);
    assert.deepEqual(brief(await read(row(7, 0))), [7]);
    await clock.advance(500);
    await pinged;
    assert.deepEqual(lost, []);
  });

  it('fails when nothing answers', async () => {
    const { clock, session } = connect();
    const pinged = assert.rejects(
      ping(session, call),
      (error) => isFailure(error) && error.kind === 'disconnected',
    );
    await clock.advance(1000);
    await pinged;
  });
});

describe('modbus: addresses that do not exist', () => {
  it('spoil no neighbour, and the way around them is remembered', async () => {
    const { clock, peer, read } = connect();
    const missing = 13;
    peer.reply = (frame) =>
      frame.address <= missing && missing < frame.address + frame.count
        ? exception(frame, 2)
        : registers(frame, 7);
    const rows = [0, 10, 13, 14, 20].map((address) => row(1, address));
    assert.deepEqual(brief(await read(...rows)), [7, 7, 'ILLEGAL_ADDRESS', 7, 7]);
    const before = peer.frames.length;
    assert.deepEqual(brief(await read(...rows)), [7, 7, 'ILLEGAL_ADDRESS', 7, 7]);
    const asked = peer.frames.slice(before).map(({ address, count }) => [address, count]);
    assert.equal(asked.length, rows.length, `asked again: ${JSON.stringify(asked)}`);

    peer.reply = (frame) => registers(frame, 8);
    await clock.advance(11 * 60_000);
    const later = peer.frames.length;
    assert.deepEqual(brief(await read(...rows)), [8, 8, 8, 8, 8]);
    assert.equal(peer.frames.length - later, 1, 'the whole block is tried again after a while');
  });

  it('in a gap only cost the gap', async () => {
    const { peer, read } = connect();
    peer.reply = (frame) =>
      frame.address <= 5 && 5 < frame.address + frame.count ? exception(frame, 2) : registers(frame, 7);
    assert.deepEqual(brief(await read(row(1, 4), row(1, 6))), [7, 7]);
    assert.equal(peer.frames.length, 3);
  });
});

describe('modbus: the end of a session', () => {
  it('an abort sends nothing more and leaves nothing behind', async () => {
    const { clock, peer, session } = connect({ gap: 0 });
    const scope = new Scope();
    const book = new TagBook([row(1, 0), row(1, 50), row(1, 100)], 'protocol');
    const reading = readTags(session, book.on(session).plan([]), scope, clock);
    const checked = assert.rejects(reading, (error) => isFailure(error) && error.kind === 'cancelled');
    scope.abort();
    await checked;
    assert.equal(scope.listenerCount, 0);
    const [first] = peer.frames;
    assert.ok(first);
    peer.push(registers(first, 1));
    await settle();
    assert.equal(peer.frames.length, 1);
    session.close();
    await settle();
    assert.equal(clock.pending, 0);
    assert.equal(session.underWay, 0);
  });

  it('a read that was aborted before it began sends nothing', async () => {
    const { clock, peer, session } = connect();
    const scope = new Scope();
    scope.abort();
    const plan = new TagBook([row(1, 0)], 'protocol').on(session).plan([]);
    await assert.rejects(
      readTags(session, plan, scope, clock),
      (error) => isFailure(error) && error.kind === 'cancelled',
    );
    assert.deepEqual(peer.frames, []);
  });

  it('tells requests that never left from those that may have arrived', async () => {
    const { peer, session } = connect();
    const failures: (Failure | undefined)[] = [];
    const request = (address: number) => ({
      unit: 1,
      send: (client: ModbusRTU, next: (error: unknown, result: unknown) => void) =>
        client.writeFC6(1, address, 1, next),
      done: (failure: Failure | undefined) => void failures.push(failure),
    });
    session.submit([request(0), request(1)]);
    peer.destroy();
    await settle();
    session.submit([request(2)]);
    assert.deepEqual(
      failures.map((failure) => [failure?.kind, failure?.reached]),
      [
        ['disconnected', true],
        ['disconnected', false],
        ['disconnected', false],
      ],
    );
  });
});
