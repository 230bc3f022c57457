/** The public function codes of the simulator: V1.1b3, sections 6.1 to 6.6, 6.11, 6.12, 6.16 and 6.17. */
import { exists } from './simulator-memory';
import type { Memory, TableName } from './simulator-memory';

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;

/** Answers one request PDU: a normal response, or function code + 0x80 and an exception code. */
export function execute(pdu: Buffer, memory: Memory, maxRegisters: number): Buffer {
  const result = dispatch(pdu, memory, maxRegisters);
  return typeof result === 'number' ? Buffer.from([(pdu[0] ?? 0) | 0x80, result]) : result;
}

function dispatch(pdu: Buffer, memory: Memory, maxRegisters: number): Buffer | number {
  const code = pdu[0];
  if (code === 1) return readBits(pdu, memory, 'coils');
  if (code === 2) return readBits(pdu, memory, 'discrete');
  if (code === 3) return readRegisters(pdu, memory, 'holding', maxRegisters);
  if (code === 4) return readRegisters(pdu, memory, 'input', maxRegisters);
  if (code === 5) return writeCoil(pdu, memory);
  if (code === 6) return writeRegister(pdu, memory);
  if (code === 15) return writeCoils(pdu, memory);
  if (code === 16) return writeRegisters(pdu, memory);
  if (code === 22) return maskWrite(pdu, memory);
  if (code === 23) return readWrite(pdu, memory);
  return ILLEGAL_FUNCTION;
}

function readBits(pdu: Buffer, memory: Memory, name: 'coils' | 'discrete'): Buffer | number {
  if (pdu.length !== 5) return ILLEGAL_VALUE;
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  if (count < 1 || count > 2000) return ILLEGAL_VALUE;
  if (!exists(memory, name, address, count)) return ILLEGAL_ADDRESS;
  const bytes = Math.ceil(count / 8);
  const reply = Buffer.alloc(2 + bytes);
  reply[0] = pdu[0] ?? 0;
  reply[1] = bytes;
  for (let i = 0; i < count; i += 1) {
    if (memory[name][address + i]) reply[2 + (i >> 3)] = (reply[2 + (i >> 3)] ?? 0) | (1 << (i & 7));
  }
  return reply;
}

function readRegisters(pdu: Buffer, memory: Memory, name: TableName, max: number): Buffer | number {
  if (pdu.length !== 5) return ILLEGAL_VALUE;
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  if (count < 1 || count > Math.min(125, max)) return ILLEGAL_VALUE;
  if (!exists(memory, name, address, count)) return ILLEGAL_ADDRESS;
  return registers(pdu[0] ?? 0, memory[name], address, count);
}

function registers(code: number, table: Uint16Array | Uint8Array, address: number, count: number): Buffer {
  const reply = Buffer.allocUnsafe(2 + count * 2);
  reply[0] = code;
  reply[1] = count * 2;
  for (let i = 0; i < count; i += 1) reply.writeUInt16BE(table[address + i] ?? 0, 2 + i * 2);
  return reply;
}

function writeCoil(pdu: Buffer, memory: Memory): Buffer | number {
  if (pdu.length !== 5) return ILLEGAL_VALUE;
  const address = pdu.readUInt16BE(1);
  const value = pdu.readUInt16BE(3);
  if (value !== 0x0000 && value !== 0xff00) return ILLEGAL_VALUE;
  if (!exists(memory, 'coils', address, 1)) return ILLEGAL_ADDRESS;
  memory.coils[address] = value === 0xff00 ? 1 : 0;
  return Buffer.from(pdu);
}

function writeRegister(pdu: Buffer, memory: Memory): Buffer | number {
  if (pdu.length !== 5) return ILLEGAL_VALUE;
  const address = pdu.readUInt16BE(1);
  if (!exists(memory, 'holding', address, 1)) return ILLEGAL_ADDRESS;
  memory.holding[address] = pdu.readUInt16BE(3);
  return Buffer.from(pdu);
}

function writeCoils(pdu: Buffer, memory: Memory): Buffer | number {
  if (pdu.length < 7) return ILLEGAL_VALUE;
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  const bytes = Math.ceil(count / 8);
  if (count < 1 || count > 1968 || pdu[5] !== bytes || pdu.length !== 6 + bytes) return ILLEGAL_VALUE;
  if (!exists(memory, 'coils', address, count)) return ILLEGAL_ADDRESS;
  for (let i = 0; i < count; i += 1) memory.coils[address + i] = ((pdu[6 + (i >> 3)] ?? 0) >> (i & 7)) & 1;
  return Buffer.from(pdu.subarray(0, 5));
}

function writeRegisters(pdu: Buffer, memory: Memory): Buffer | number {
  if (pdu.length < 8) return ILLEGAL_VALUE;
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  if (count < 1 || count > 123 || pdu[5] !== count * 2 || pdu.length !== 6 + count * 2) return ILLEGAL_VALUE;
  if (!exists(memory, 'holding', address, count)) return ILLEGAL_ADDRESS;
  for (let i = 0; i < count; i += 1) memory.holding[address + i] = pdu.readUInt16BE(6 + i * 2);
  return Buffer.from(pdu.subarray(0, 5));
}

function maskWrite(pdu: Buffer, memory: Memory): Buffer | number {
  if (pdu.length !== 7) return ILLEGAL_VALUE;
  const address = pdu.readUInt16BE(1);
  if (!exists(memory, 'holding', address, 1)) return ILLEGAL_ADDRESS;
  const and = pdu.readUInt16BE(3);
  const or = pdu.readUInt16BE(5);
  memory.holding[address] = ((memory.holding[address] ?? 0) & and) | (or & ~and & 0xffff);
  return Buffer.from(pdu);
}

function readWrite(pdu: Buffer, memory: Memory): Buffer | number {
  if (pdu.length < 12) return ILLEGAL_VALUE;
  const from = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  const to = pdu.readUInt16BE(5);
  const written = pdu.readUInt16BE(7);
  if (count < 1 || count > 125 || written < 1 || written > 121) return ILLEGAL_VALUE;
  if (pdu[9] !== written * 2 || pdu.length !== 10 + written * 2) return ILLEGAL_VALUE;
  if (!exists(memory, 'holding', from, count) || !exists(memory, 'holding', to, written))
    return ILLEGAL_ADDRESS;
  // Section 6.17: the write is performed before the read.
  for (let i = 0; i < written; i += 1) memory.holding[to + i] = pdu.readUInt16BE(10 + i * 2);
  return registers(23, memory.holding, from, count);
}
