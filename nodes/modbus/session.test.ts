import assert from 'node:assert/strict';
import type ModbusRTU from 'modbus-serial';
import { Scope, isFailure } from '../../lib/core';
import type { Failure } from '../../lib/core';
import { settle } from '../../test/helpers/virtual-clock';
import { TagBook } from './book';
import { brief, connect, exception, registers, row } from './peer.test';
import type { Frame } from './peer.test';
import { readTags } from './read';

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
