import assert from 'node:assert/strict';
import ModbusRTU from 'modbus-serial';
import { isFailure } from '../../lib/core';
import { settle } from '../../test/helpers/virtual-clock';
import { brief, connect, exception, Peer, registers, row } from './peer.test';
import type { Frame } from './peer.test';
import { MbapPort } from './port';

describe('modbus: answers that cannot be trusted', () => {
  const lies: Record<string, (frame: Frame) => Buffer> = {
    'another transaction id': (frame) => registers({ ...frame, id: frame.id + 7 }, 1),
    'another unit': (frame) => registers({ ...frame, unit: 9 }, 1),
    'an exception of another unit': (frame) => exception({ ...frame, unit: 9 }, 2),
    'another function': (frame) => registers({ ...frame, code: 4 }, 1),
    'more registers than asked for': (frame) => registers({ ...frame, count: frame.count + 1 }, 1),
    'fewer registers than asked for': (frame) => registers({ ...frame, count: frame.count - 1 }, 1),
    'a byte count that contradicts the frame': (frame) => {
      const answer = registers(frame, 1);
      answer[8] = (answer[8] ?? 0) + 2;
      return answer;
    },
    'another protocol id': (frame) => {
      const answer = registers(frame, 1);
      answer[3] = 1;
      return answer;
    },
    'an impossible length': (frame) => {
      const answer = registers(frame, 1);
      answer.writeUInt16BE(0xffff, 4);
      return answer;
    },
    'text of another protocol': () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
  };
  for (const [what, lie] of Object.entries(lies)) {
    it(`${what} ends the session and gives no value`, async () => {
      const { clock, peer, lost, read } = connect();
      peer.reply = lie;
      await assert.rejects(
        read(row(1, 0), row(1, 1)),
        (error) => isFailure(error) && error.code === 'BAD_RESPONSE',
      );
      assert.equal(lost.length, 1);
      assert.equal(lost[0]?.kind, 'disconnected');
      await settle();
      assert.ok(peer.destroyed);
      assert.equal(clock.pending, 0);
    });
  }

  it('half a frame and a closed connection give no value', async () => {
    const { peer, lost, read, clock } = connect();
    peer.reply = (frame) => registers(frame, 1).subarray(0, 8);
    const reading = read(row(1, 0));
    await settle();
    peer.destroy();
    await assert.rejects(reading, (error) => isFailure(error) && error.code === 'CONNECTION_LOST');
    assert.equal(lost.length, 1);
    assert.equal(clock.pending, 0);
  });

  it('understands answers in slices of one byte', async () => {
    const { peer, read } = connect();
    peer.reply = (frame) => {
      for (const byte of registers(frame, 5)) peer.push(Buffer.from([byte]));
      return undefined;
    };
    assert.deepEqual(brief(await read(row(1, 0), row(1, 3))), [5, 5]);
  });

  it('never takes a late answer for another one', async () => {
    const { clock, peer, lost, read } = connect();
    peer.reply = (frame) => (frame.unit === 1 ? registers(frame, 1) : undefined);
    const first = read(row(2, 0));
    await clock.advance(500);
    await read(row(1, 0));
    await clock.advance(500);
    assert.deepEqual(brief(await first), ['UNIT_TIMEOUT']);
    const [late, probe] = peer.to(2);
    assert.ok(late && probe, 'a unit that fell silent is probed at once');
    peer.reply = () => undefined;
    peer.push(registers(probe, 22));
    await settle();
    const second = read(row(2, 0));
    const [, , request] = peer.to(2);
    assert.ok(request);
    peer.push(registers(late, 111));
    await settle();
    peer.push(registers(request, 222));
    assert.deepEqual(brief(await second), [222]);
    assert.deepEqual(lost, []);
  });

  it('keeps no memory of 70,000 requests, exceptions included', () => {
    const peer = new Peer();
    const port = new MbapPort(peer, { heard: () => {}, lost: () => assert.fail('lost') });
    const client = new ModbusRTU(port);
    client.open();
    let answers = 0;
    for (let i = 0; i < 70_000; i += 1) {
      client.writeFC3(1, 0, 1, () => (answers += 1));
      const id = port.lastId;
      const frame = { id, unit: 1, code: 3, address: 0, count: 1 };
      peer.emit('data', i % 2 === 0 ? exception(frame, 11) : registers(frame, i & 0xffff));
    }
    assert.equal(answers, 70_000);
    const kept = (client as unknown as { _transactions: object })._transactions;
    assert.ok(Object.keys(kept).length <= 2, `${Object.keys(kept).length} transactions are kept`);
  });
});
