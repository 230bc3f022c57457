/** A device in memory and a session with it, for tests that need no socket. */
import { Duplex } from 'node:stream';
import ModbusRTU from 'modbus-serial';
import { Scope } from '../../lib/core';
import type { Failure, Reading } from '../../lib/core';
import { VirtualClock } from '../../test/helpers/virtual-clock';
import { TagBook } from './book';
import { readTags } from './read';
import { Session } from './session';
import type { DeviceSettings } from './session';
import type { TagRow } from './tags';

export const SETTINGS: DeviceSettings = {
  unit: 1,
  order: 'abcd',
  gap: 16,
  length: 125,
  window: 16,
  exclusive: false,
  alwaysMultiple: false,
  requestTimeout: 1000,
  probeEvery: 10_000,
};

export interface Frame {
  readonly id: number;
  readonly unit: number;
  readonly code: number;
  readonly address: number;
  readonly count: number;
}

/** The device's end of a connection, frame by frame. */
export class Peer extends Duplex {
  readonly frames: Frame[] = [];
  /** Answers as soon as a request arrives; undefined keeps silent. */
  reply: (frame: Frame) => Buffer | undefined = () => undefined;

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (let at = 0; at < chunk.length; at += 6 + chunk.readUInt16BE(at + 4)) {
      const frame = {
        id: chunk.readUInt16BE(at),
        unit: chunk.readUInt8(at + 6),
        code: chunk.readUInt8(at + 7),
        address: chunk.readUInt16BE(at + 8),
        count: chunk.readUInt16BE(at + 10),
      };
      this.frames.push(frame);
      const answer = this.reply(frame);
      if (answer) this.push(answer);
    }
    done();
  }
  to(unit: number): Frame[] {
    return this.frames.filter((frame) => frame.unit === unit);
  }
}

/** An answer to a read whose registers all hold `value`. */
export function registers({ id, unit, code, count }: Frame, value: number): Buffer {
  const frame = Buffer.alloc(9 + count * 2);
  frame.writeUInt16BE(id, 0);
  frame.writeUInt16BE(3 + count * 2, 4);
  frame.set([unit, code, count * 2], 6);
  for (let i = 0; i < count; i += 1) frame.writeUInt16BE(value, 9 + i * 2);
  return frame;
}
export function exception({ id, unit, code }: Frame, number: number): Buffer {
  const frame = Buffer.alloc(9);
  frame.writeUInt16BE(id, 0);
  frame.writeUInt16BE(3, 4);
  frame.set([unit, code | 0x80, number], 6);
  return frame;
}

export function row(unit: number, address: number): TagRow {
  const absent = { length: undefined, bit: undefined, scale: undefined, offset: undefined };
  return {
    name: `${unit}/${address}`,
    unit,
    area: 'holding',
    address,
    type: 'uint16',
    order: 'device',
    eu: '',
    ...absent,
  };
}

export function connect(settings: Partial<DeviceSettings> = {}) {
  const clock = new VirtualClock();
  const peer = new Peer();
  const lost: Failure[] = [];
  const session = new Session({
    socket: peer,
    Client: ModbusRTU,
    settings: { ...SETTINGS, ...settings },
    clock,
    lost: (failure) => lost.push(failure),
  });
  const books = new Map<string, TagBook>();
  const read = (...rows: TagRow[]): Promise<Reading[]> => {
    const key = rows.map(({ name }) => name).join();
    const book = books.get(key) ?? new TagBook(rows, 'protocol');
    books.set(key, book);
    return readTags(session, book.on(session).plan([]), new Scope(), clock);
  };
  return { clock, peer, lost, session, read };
}
export const brief = (readings: readonly Reading[]): unknown[] =>
  readings.map(({ value, quality, status }) => (quality === 'good' ? value : status));
