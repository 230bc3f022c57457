import assert from 'node:assert/strict';
import ModbusRTU from 'modbus-serial';
import { Scope, isFailure } from '../../lib/core';
import { settle } from '../../test/helpers/virtual-clock';
import { TagBook } from './book';
import { brief, connect, exception, Peer, registers, row } from './peer.test';
import type { Frame } from './peer.test';
import { MbapPort } from './port';
import { writeTags } from './write';

/** Writes 5 to register 3 of a device that confirms whatever `answer` says. */
async function write(answer: (frame: Frame) => Buffer): Promise<{ codes: unknown[]; lost: number }> {
  const { clock, peer, lost, session } = connect();
  peer.reply = answer;
  const tag = new TagBook([row(1, 3)], 'protocol').on(session).tag('1/3');
  const codes: unknown[] = [];
  await writeTags(session, [{ tag, value: 5 }], new Scope(), clock).then(
    (readings) => codes.push(...brief(readings)),
    (error: unknown) => codes.push(isFailure(error) ? error.code : error),
  );
  return { codes, lost: lost.length };
}

/** The confirmation of a function 6. */
function confirmed({ id, unit, code, address, count: value }: Frame): Buffer {
  const answer = Buffer.alloc(12);
  answer.writeUInt16BE(id, 0);
  answer.writeUInt16BE(6, 4);
  answer.set([unit, code], 6);
  answer.writeUInt16BE(address, 8);
  answer.writeUInt16BE(value, 10);
  return answer;
}

const NOTHING: Frame = { id: 2, unit: 1, code: 3, address: 5, count: 1 };

/** The same noise in every run. */
function noise(length: number): Buffer {
  let state = 1;
  return Buffer.from(Uint8Array.from({ length }, () => (state = (state * 48_271) % 2_147_483_647) & 0xff));
}
const slices = (bytes: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) =>
    bytes.subarray(i * 65_536, (i + 1) * 65_536),
  );

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
    'an exception with bytes to spare': (frame) => {
      const answer = Buffer.concat([exception(frame, 2), Buffer.from([0, 0])]);
      answer[5] = 5;
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

  const floods: Record<string, () => Buffer> = {
    'a megabyte of zeros': () => Buffer.alloc(1e6),
    'a megabyte of 0xff': () => Buffer.alloc(1e6, 0xff),
    'a megabyte of noise': () => noise(1e6),
    'a hundred thousand exceptions that nobody asked for': () =>
      Buffer.concat(new Array<Buffer>(100_000).fill(exception({ ...NOTHING, id: 999 }, 11))),
  };
  for (const [what, flood] of Object.entries(floods)) {
    it(`${what} ends the session, alone and after a good answer`, async () => {
      for (const asked of [false, true]) {
        const { clock, peer, lost, read } = connect();
        peer.reply = (frame) => registers(frame, 7);
        if (asked) assert.deepEqual(brief(await read(row(1, 0))), [7]);
        peer.reply = () => undefined;
        const readings: unknown[] = [];
        const reading = read(row(1, 5)).then(
          (all) => readings.push(...brief(all)),
          (error: unknown) => readings.push(isFailure(error) ? error.code : error),
        );
        await settle();
        for (const chunk of slices(flood())) peer.push(chunk);
        await clock.advance(2000);
        await reading;
        assert.deepEqual(readings, ['BAD_RESPONSE']);
        assert.equal(lost.length, 1);
        assert.ok(peer.destroyed);
        assert.equal(clock.pending, 0);
      }
    });
  }

  it('a write counts only when its own confirmation came; another one ends the session', async () => {
    assert.deepEqual(await write(confirmed), { codes: [5], lost: 0 });
    const another: ((frame: Frame) => Buffer)[] = [
      (frame) => confirmed({ ...frame, address: 4 }),
      (frame) => confirmed({ ...frame, count: 6 }),
      (frame) => confirmed({ ...frame, code: 16 }),
      (frame) => registers(frame, 5),
    ];
    for (const lie of another) assert.deepEqual(await write(lie), { codes: ['BAD_RESPONSE'], lost: 1 });
  });

  it('the same answer twice gives its value once and ends the session', async () => {
    const { peer, lost, read } = connect();
    peer.reply = (frame) => Buffer.concat([registers(frame, 1), registers(frame, 2)]);
    assert.deepEqual(brief(await read(row(1, 5))), [1]);
    assert.deepEqual(
      lost.map(({ code }) => code),
      ['BAD_RESPONSE'],
    );
  });

  it('an endless trickle that never makes a frame is a lost connection', async () => {
    const { clock, peer, lost, read } = connect();
    peer.reply = (frame) => registers(frame, 7);
    await read(row(1, 0));
    await clock.advance(1);
    peer.reply = () => undefined;
    const reading = assert.rejects(
      read(row(1, 0)),
      (error) => isFailure(error) && error.code === 'CONNECTION_LOST',
    );
    const trickle = registers({ ...NOTHING, id: 2, count: 120 }, 9);
    for (const byte of trickle.subarray(0, 40)) {
      peer.push(Buffer.from([byte]));
      await clock.advance(50);
    }
    await reading;
    assert.equal(lost.length, 1);
    assert.equal(clock.pending, 0);
  });

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

  it('gives no id a second time while an answer to it may still come', () => {
    const peer = new Peer();
    const port = new MbapPort(peer, { heard: () => {}, lost: () => assert.fail('lost') });
    const client = new ModbusRTU(port);
    client.open();
    const values: unknown[] = [];
    const waiting = 2;
    const abandoned = 3;
    for (let i = 0; i < 70_000; i += 1) {
      client.writeFC3(1, 0, 1, (_error, result) => values.push(result.data[0]));
      const id = port.lastId;
      if (i > 3) assert.ok(id !== waiting && id !== abandoned, `id ${id} again`);
      if (id === abandoned) port.abandon(id);
      if (id === waiting || id === abandoned) continue;
      peer.emit('data', registers({ ...NOTHING, id }, 1));
    }
    peer.emit('data', registers({ ...NOTHING, id: abandoned }, 3));
    peer.emit('data', registers({ ...NOTHING, id: waiting }, 2));
    assert.equal(values.length, 69_999);
    assert.equal(values.at(-1), 2);
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
