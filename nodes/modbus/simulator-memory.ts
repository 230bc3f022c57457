/** The four tables of the Modbus data model (V1.1b3, section 4.3). */
export interface Memory {
  /** One byte a bit: 0 or 1. */
  readonly coils: Uint8Array;
  readonly discrete: Uint8Array;
  readonly holding: Uint16Array;
  readonly input: Uint16Array;
  /** Addresses that do not exist, as "holding:120"; reading across one is exception 2. */
  readonly missing: Set<string>;
}

/** Addresses 0 to 9,999 exist in each table. */
const SIZE = 10_000;

export function createMemory(): Memory {
  return {
    coils: new Uint8Array(SIZE),
    discrete: new Uint8Array(SIZE),
    holding: new Uint16Array(SIZE),
    input: new Uint16Array(SIZE),
    missing: new Set(),
  };
}

export type TableName = 'coils' | 'discrete' | 'holding' | 'input';

export function exists(memory: Memory, table: TableName, address: number, count: number): boolean {
  if (address + count > memory[table].length) return false;
  if (memory.missing.size === 0) return true;
  for (let at = address; at < address + count; at += 1)
    if (memory.missing.has(`${table}:${at}`)) return false;
  return true;
}

/** Writes bytes into registers, two a register, high byte first. */
export function putBytes(table: Uint16Array, address: number, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i += 2) {
    table[address + i / 2] = ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  }
}

export function putFloat(table: Uint16Array, address: number, value: number): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value);
  putBytes(table, address, bytes);
}

/** Low word first, as many meters do. */
export function putSwappedFloat(table: Uint16Array, address: number, value: number): void {
  putFloat(table, address, value);
  const high = table[address] ?? 0;
  table[address] = table[address + 1] ?? 0;
  table[address + 1] = high;
}

export function putUint(table: Uint16Array, address: number, value: number, words: number): void {
  for (let i = words - 1, rest = Math.floor(value); i >= 0; i -= 1, rest = Math.floor(rest / 65_536)) {
    table[address + i] = rest % 65_536;
  }
}

export function putText(table: Uint16Array, address: number, text: string, registers: number): void {
  const bytes = new Uint8Array(registers * 2);
  for (let i = 0; i < Math.min(text.length, bytes.length); i += 1) bytes[i] = text.charCodeAt(i);
  putBytes(table, address, bytes);
}
