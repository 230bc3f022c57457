/**
 * A Modbus TCP server, written from "MODBUS Application Protocol Specification V1.1b3" (functions, exceptions)
 * and "MODBUS Messaging on TCP/IP Implementation Guide V1.0b" (MBAP header, pipelining). Nothing here knows the
 * connector. It plays a boiler (unit 1) and a power meter (unit 2) behind one gateway address.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Simulator, SimulatorOptions } from '../../lib/roles';
import { execute } from './simulator-functions';
import { createPlant } from './simulator-plant';
import type { Memory } from './simulator-memory';

export interface ModbusSimulatorOptions extends SimulatorOptions {
  /** Unit ids that exist. Any other is answered with exception 11, as a gateway does. Default: 1 and 2. */
  readonly units?: readonly number[];
  /** Units that never answer at all. */
  readonly dead?: readonly number[];
  /** Milliseconds before each answer. Default 0. */
  readonly delayMs?: number;
  /** More requests waiting than this are answered with exception 6 (busy). Default 64. */
  readonly busyAbove?: number;
  /** Longest read in registers that this device accepts; more is exception 3. Default 125, as the standard. */
  readonly maxRegisters?: number;
  /** Leave Nagle's algorithm on, as many small devices do. Default false. */
  readonly nagle?: boolean;
}

/** Changes the answer to a request; undefined swallows it. Receives and returns whole frames. */
export type Tamper = (answer: Buffer, request: Buffer) => Buffer | undefined;

export interface ModbusSimulator extends Simulator {
  /** The tables of a unit; changes show in the next answer. */
  memory(unit: number): Memory;
  /** Requests received since start. */
  readonly requests: number;
  /** Open sockets. */
  readonly sockets: number;
  /** Function codes of the last requests, newest last, at most 1,000. */
  readonly functions: readonly number[];
  kill(unit: number): void;
  revive(unit: number): void;
  tamper(fn: Tamper | undefined): void;
  /** Cuts every open connection without a word. */
  cut(): void;
}

const HEADER = 7;
/** Longest legal value of the MBAP length field: unit id and a PDU of 253 bytes. */
const LONGEST = 254;
const LOG = 1000;

export async function start(options: ModbusSimulatorOptions): Promise<ModbusSimulator> {
  const plant = createPlant(options);
  const units = new Set(options.units ?? [1, 2]);
  const dead = new Set(options.dead ?? []);
  const open = new Set<Socket>();
  const functions: number[] = [];
  let requests = 0;
  let tamper: Tamper | undefined;

  /** The answer to one request frame; undefined for silence. */
  function answer(request: Buffer, waiting: number): Buffer | undefined {
    requests += 1;
    const unit = request.readUInt8(6);
    const pdu = request.subarray(HEADER);
    if (functions.push(pdu[0] ?? 0) > LOG) functions.shift();
    if (dead.has(unit)) return undefined;
    const reply = !units.has(unit)
      ? exception(pdu, 11)
      : waiting > (options.busyAbove ?? 64)
        ? exception(pdu, 6)
        : execute(pdu, plant.memory(unit), options.maxRegisters ?? 125);
    const frame = Buffer.allocUnsafe(HEADER + reply.length);
    request.copy(frame, 0, 0, HEADER);
    frame.writeUInt16BE(reply.length + 1, 4);
    reply.copy(frame, HEADER);
    return tamper ? tamper(frame, request) : frame;
  }

  function serve(socket: Socket): void {
    let rest: Buffer = Buffer.alloc(0);
    let waiting = 0;
    open.add(socket);
    socket.setNoDelay(!options.nagle);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    socket.on('data', (chunk) => {
      rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const frames = cutFrames(rest);
      if (!frames) return void socket.destroy();
      rest = frames.rest;
      plant.advance();
      const answers: Buffer[] = [];
      for (const request of frames.complete) {
        waiting += 1;
        if (options.delayMs) {
          const held = Buffer.from(request);
          const now = waiting;
          options.clock.timer(options.delayMs, () => {
            waiting -= 1;
            const late = answer(held, now);
            if (late && !socket.destroyed) socket.write(late);
          });
          continue;
        }
        const frame = answer(request, frames.complete.length);
        waiting -= 1;
        // A device with Nagle's algorithm writes answer by answer; that is what makes it slow.
        if (frame && options.nagle) socket.write(frame);
        else if (frame) answers.push(frame);
      }
      if (answers.length > 0) socket.write(Buffer.concat(answers));
    });
  }

  const server = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    memory: (unit) => plant.memory(unit),
    get requests() {
      return requests;
    },
    get sockets() {
      return open.size;
    },
    functions,
    kill: (unit) => void dead.add(unit),
    revive: (unit) => void dead.delete(unit),
    tamper: (fn) => {
      tamper = fn;
    },
    cut: () => open.forEach((socket) => socket.destroy()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        open.forEach((socket) => socket.destroy());
      }),
  };
}

/** Undefined when the stream is not Modbus TCP; the implementation guide then closes the connection. */
function cutFrames(stream: Buffer): { complete: Buffer[]; rest: Buffer } | undefined {
  const complete: Buffer[] = [];
  let at = 0;
  while (stream.length - at > HEADER) {
    const length = stream.readUInt16BE(at + 4);
    if (stream.readUInt16BE(at + 2) !== 0 || length < 2 || length > LONGEST) return undefined;
    if (stream.length - at < 6 + length) break;
    complete.push(stream.subarray(at, at + 6 + length));
    at += 6 + length;
  }
  return { complete, rest: Buffer.from(stream.subarray(at)) };
}

function exception(pdu: Buffer, code: number): Buffer {
  return Buffer.from([(pdu[0] ?? 0) | 0x80, code]);
}
