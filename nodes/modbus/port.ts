/**
 * The transport under modbus-serial: Modbus TCP framing ("MODBUS Messaging on TCP/IP Implementation Guide
 * V1.0b", section 3). It replaces the library's own TCP port, which reuses transaction ids after 256 requests,
 * does not check the header, and reports no close after a reset.
 *
 * The library numbers its open transactions with small slots; on the wire every request has its own 16-bit id.
 * An answer reaches the library only when its id, unit and function belong to a request that still waits, so
 * a late answer can never be taken for another one, and the library's table of transactions stays small.
 */
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { protocolFailure } from './errors';
import type { Failure } from '../../lib/core';

const HEADER = 6;
/** Unit id, function code and one byte at least; unit id and a PDU of 253 bytes at most. */
const SHORTEST = 3;
const LONGEST = 254;
const CRC = 2;
/** Ids of abandoned requests that are kept apart until their late answer can no longer come. */
const ABANDONED = 4096;

interface Waiting {
  readonly slot: number;
  readonly unit: number;
  readonly code: number;
}

export interface PortEvents {
  /** A frame arrived that belongs to a request, if only to an abandoned one: bytes alone prove no Modbus device. */
  readonly heard: () => void;
  /** The connection ended or cannot be trusted. Called once. */
  readonly lost: (failure: Failure | undefined) => void;
}

/** What modbus-serial asks of a port. Its underscored fields are the library's protocol with every port. */
export class MbapPort extends EventEmitter {
  _transactionIdWrite = 1;
  _transactionIdRead = 0;
  readonly #socket: Duplex;
  readonly #events: PortEvents;
  readonly #waiting = new Map<number, Waiting>();
  readonly #abandoned = new Set<number>();
  readonly #freeSlots: number[] = [];
  /** The library starts at 1. */
  #slots = 2;
  #wire = 0;
  #rest: Buffer | undefined;
  #frames: Buffer[] = [];
  #holds = 0;
  #ended = false;
  #error: unknown;

  constructor(socket: Duplex, events: PortEvents) {
    super();
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#end(undefined));
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** Why the socket failed, when it said so. */
  get error(): unknown {
    return this.#error;
  }

  /** The wire id of the last request. */
  get lastId(): number {
    return this.#wire;
  }

  open(callback: (error?: Error) => void): void {
    callback();
  }

  close(callback?: () => void): void {
    this.#ended = true;
    this.#socket.destroy();
    callback?.();
  }

  /** Collects frames until the last `release`, so that requests of one moment share a segment. */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.#flush();
  }

  #flush(): void {
    if (this.#frames.length === 0 || this.#ended) return;
    const bytes = this.#frames.length === 1 ? this.#frames[0] : Buffer.concat(this.#frames);
    this.#frames = [];
    this.#socket.write(bytes);
  }

  /** Called by modbus-serial with unit id, PDU and CRC. */
  write(data: Buffer): void {
    const id = this.#nextId();
    const length = data.length - CRC;
    const frame = Buffer.allocUnsafe(HEADER + length);
    frame.writeUInt16BE(id, 0);
    frame.writeUInt16BE(0, 2);
    frame.writeUInt16BE(length, 4);
    data.copy(frame, HEADER, 0, length);
    this.#waiting.set(id, { slot: this._transactionIdWrite, unit: data[0] ?? 0, code: data[1] ?? 0 });
    this._transactionIdWrite = this.#freeSlots.pop() ?? this.#slots++;
    this.#frames.push(frame);
    if (this.#holds === 0) this.#flush();
  }

  #nextId(): number {
    do this.#wire = (this.#wire + 1) & 0xffff;
    while (this.#waiting.has(this.#wire) || this.#abandoned.has(this.#wire));
    return this.#wire;
  }

  /** The request gave up waiting; its answer, should it come, is dropped. */
  abandon(id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    this.#freeSlots.push(waiting.slot);
    this.#abandoned.add(id);
    if (this.#abandoned.size <= ABANDONED) return;
    const [oldest] = this.#abandoned;
    if (oldest !== undefined) this.#abandoned.delete(oldest);
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    // Requests that these answers make room for leave together.
    this.hold();
    this.#parse(chunk);
    this.release();
  }

  #parse(chunk: Buffer): void {
    const stream = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = undefined;
    let at = 0;
    while (stream.length - at >= HEADER) {
      const length = stream.readUInt16BE(at + 4);
      if (stream.readUInt16BE(at + 2) !== 0)
        return this.#end(protocolFailure('a header with a wrong protocol id'));
      if (length < SHORTEST || length > LONGEST)
        return this.#end(protocolFailure('a frame of an impossible length'));
      if (stream.length - at < HEADER + length) break;
      const problem = this.#accept(stream.readUInt16BE(at), stream, at + HEADER, length);
      if (problem) return this.#end(protocolFailure(problem));
      // The callback of an answer may have closed the port.
      if (this.#ended) return;
      at += HEADER + length;
    }
    // Copied: the chunk belongs to Node's pool, and what is left is less than one frame.
    if (at < stream.length) this.#rest = Buffer.from(stream.subarray(at));
  }

  /** Checks one answer against its request and hands it to the library. Returns what is wrong with it. */
  #accept(id: number, stream: Buffer, start: number, length: number): string | undefined {
    const waiting = this.#waiting.get(id);
    if (!waiting) {
      if (!this.#abandoned.delete(id)) return `an answer to a request that was never sent (id ${id})`;
      this.#events.heard();
      return undefined;
    }
    const code = stream[start + 1] ?? 0;
    if (stream[start] !== waiting.unit)
      return `an answer of unit ${stream[start]} instead of ${waiting.unit}`;
    if ((code & 0x7f) !== waiting.code)
      return `an answer to function ${code & 0x7f} instead of ${waiting.code}`;
    if (code > 0x7f ? length !== 3 : isRead(code) && stream[start + 2] !== length - 3) {
      return 'an answer whose lengths contradict each other';
    }
    this.#events.heard();
    this.#waiting.delete(id);
    this.#freeSlots.push(waiting.slot);
    this._transactionIdRead = waiting.slot;
    this.emit('data', withCrc(stream, start, length));
    return undefined;
  }

  #end(failure: Failure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#rest = undefined;
    this.#frames = [];
    this.#socket.destroy();
    this.#events.lost(failure);
  }
}

const isRead = (code: number): boolean => code <= 4 || code === 23;

/** The library checks a CRC on every transport, so one is added here: CRC-16/MODBUS, low byte first. */
function withCrc(stream: Buffer, start: number, length: number): Buffer {
  const message = Buffer.allocUnsafe(length + CRC);
  stream.copy(message, 0, start, start + length);
  let crc = 0xffff;
  for (let i = 0; i < length; i += 1) crc = (crc >> 8) ^ (CRC_TABLE[(crc ^ (message[i] ?? 0)) & 0xff] ?? 0);
  message.writeUInt16LE(crc, length);
  return message;
}

const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let i = 0; i < 8; i += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});
