/** Requests as modbus-serial sends them. */
import type ModbusRTU from 'modbus-serial';
import type { Failure } from '../../lib/core';
import { protocolFailure, withoutFunction } from './errors';
import type { Next, Request } from './lane';
import { isBitArea } from './tags';
import type { Area } from './tags';

export type ReadDone = (failure: Failure | undefined, data: Buffer | undefined) => void;

const READ: Readonly<Record<Area, 'writeFC1' | 'writeFC2' | 'writeFC3' | 'writeFC4'>> = {
  coil: 'writeFC1',
  discrete: 'writeFC2',
  holding: 'writeFC3',
  input: 'writeFC4',
};

/** Functions 1 to 4. `done` gets the raw bytes: registers high byte first, or bits eight a byte. */
export function readRequest(
  unit: number,
  area: Area,
  address: number,
  count: number,
  done: ReadDone,
): Request {
  const bytes = isBitArea(area) ? Math.ceil(count / 8) : count * 2;
  return {
    unit,
    read: { area, address },
    send: (client, next) => client[READ[area]](unit, address, count, next),
    check(result) {
      if (bytesOf(result)?.length === bytes) return undefined;
      return protocolFailure(`a read answer without the ${bytes} bytes that were asked for`);
    },
    done: (failure, result) => done(failure, failure ? undefined : bytesOf(result)),
  };
}

function bytesOf(result: unknown): Buffer | undefined {
  const data = (result as { buffer?: unknown } | undefined)?.buffer;
  return Buffer.isBuffer(data) ? data : undefined;
}

export type WriteDone = (failure: Failure | undefined) => void;

/** A write whose answer must echo what was sent: V1.1b3, sections 6.5, 6.6, 6.11, 6.12 and 6.16. */
function writeRequest(
  unit: number,
  send: (client: ModbusRTU, next: Next) => void,
  echo: Readonly<Record<string, unknown>>,
  done: WriteDone,
  advice?: string,
): Request {
  return {
    unit,
    send,
    check(result) {
      const answer = (result ?? {}) as Record<string, unknown>;
      const same = Object.entries(echo).every(([key, value]) => answer[key] === value);
      return same ? undefined : protocolFailure('a confirmation of another write than the one it got');
    },
    done: (failure) => done(failure && advice ? withoutFunction(failure, advice) : failure),
  };
}

const MULTIPLE = 'switch on "Only functions 15 and 16" at the connection';

export function writeCoils(
  unit: number,
  address: number,
  states: readonly boolean[],
  multiple: boolean,
  done: WriteDone,
): Request {
  const [state = false] = states;
  if (states.length === 1 && !multiple) {
    return writeRequest(
      unit,
      (client, next) => client.writeFC5(unit, address, state, next),
      { address, state },
      done,
      `function 5; ${MULTIPLE}`,
    );
  }
  const echo = { address, length: states.length };
  return writeRequest(unit, (client, next) => client.writeFC15(unit, address, [...states], next), echo, done);
}

/** `data` holds the registers, high byte first. */
export function writeRegisters(
  unit: number,
  address: number,
  data: Buffer,
  multiple: boolean,
  done: WriteDone,
): Request {
  const values = Array.from({ length: data.length / 2 }, (_, i) => data.readUInt16BE(i * 2));
  const [value = 0] = values;
  if (values.length === 1 && !multiple) {
    return writeRequest(
      unit,
      (client, next) => client.writeFC6(unit, address, value, next),
      { address, value },
      done,
      `function 6; ${MULTIPLE}`,
    );
  }
  const echo = { address, length: values.length };
  return writeRequest(unit, (client, next) => client.writeFC16(unit, address, values, next), echo, done);
}

/** Function 22 changes single bits of a register in the device, without reading it first. */
export function maskRegister(
  unit: number,
  address: number,
  andMask: number,
  orMask: number,
  done: WriteDone,
): Request {
  const echo = { address, andMask, orMask };
  return writeRequest(
    unit,
    (client, next) => client.writeFC22(unit, address, andMask, orMask, next),
    echo,
    done,
    'function 22, which changes single bits of a register; write the whole register with a tag of type uint16',
  );
}
