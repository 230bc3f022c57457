/** Values from a message, as Modbus writes. */
import { Failure, isReading } from '../../lib/core';
import type { Clock, Reading, Scope } from '../../lib/core';
import type { OpenBook } from './book';
import { encodeFlags, encodeRegisters } from './codec';
import type { Request } from './lane';
import { maskRegister, writeCoils, writeRegisters } from './requests';
import type { WriteDone } from './requests';
import type { Session } from './session';
import type { Tag } from './tags';

export interface TagValue {
  readonly tag: Tag;
  readonly value: unknown;
}

/** V1.1b3, sections 6.11 and 6.12. */
const MAX_WRITE_BITS = 1968;
const MAX_WRITE_REGISTERS = 123;

/** As many as a tag table has rows at most; a message could repeat one tag without end. */
const MAX_VALUES = 10_000;

/** Understands an object of name and value, a Reading, an array of Readings, and one value for one tag. */
export function valuesOf(payload: unknown, only: readonly string[], book: OpenBook): TagValue[] {
  if (isReading(payload)) return [fromReading(payload, book)];
  if (Array.isArray(payload) && payload.length > MAX_VALUES) {
    throw badMessage(
      `The message holds ${payload.length} values; at most ${MAX_VALUES} can be written at once.`,
    );
  }
  if (Array.isArray(payload) && payload.length > 0 && payload.every(isReading)) {
    return payload.map((one) => fromReading(one, book));
  }
  const single = only.length === 1 && only[0] !== undefined ? book.tag(only[0]) : soleTag(book);
  if (
    typeof payload === 'object' &&
    payload !== null &&
    !Array.isArray(payload) &&
    !Buffer.isBuffer(payload)
  ) {
    const entries: [string, unknown][] = Object.entries(payload);
    if (entries.length > 0) return entries.map(([name, value]) => ({ tag: book.tag(name), value }));
  } else if (single && payload !== undefined && payload !== null) {
    return [{ tag: single, value: payload }];
  }
  throw badMessage(
    'The message holds nothing to write; msg.payload must be an object of tag names and values, a Reading, an array ' +
      'of Readings, or one value when the table has one tag or msg.tags names one.',
  );
}

const soleTag = (book: OpenBook): Tag | undefined => (book.tags.length === 1 ? book.tags[0] : undefined);

function fromReading(one: Reading, book: OpenBook): TagValue {
  if (one.quality === 'bad' || one.value === null) {
    throw badMessage(`The reading of "${one.tag}" is bad and holds no value to write.`);
  }
  return { tag: book.tag(one.tag), value: one.value };
}

function badMessage(text: string): Failure {
  return new Failure('rejected', 'BAD_MESSAGE', text, { reached: false });
}

/** One request still to be made, and the tags it writes. */
interface Step {
  readonly tags: readonly TagValue[];
  readonly request: (session: Session, done: WriteDone) => Request;
}

/**
 * Checks and encodes everything before anything is sent. The order of the values is kept; values whose tags
 * follow each other without a gap share a request.
 */
export function planWrites(values: readonly TagValue[]): Step[] {
  const steps: Step[] = [];
  let run: TagValue[] = [];
  const flush = (): void => {
    if (run.length > 0) steps.push(stepOf(run));
    run = [];
  };
  for (const one of values) {
    refuseReadOnly(one.tag);
    if (isFlagInRegister(one.tag)) {
      flush();
      steps.push(...maskSteps(one));
      continue;
    }
    if (!continues(run, one.tag)) flush();
    run.push(one);
  }
  flush();
  return steps;
}

function refuseReadOnly({ name, area }: Tag): void {
  if (area === 'coil' || area === 'holding') return;
  const what = area === 'input' ? 'an input register' : 'a discrete input';
  throw badMessage(
    `Tag "${name}" is ${what}, which Modbus can only read; write to a holding register or coil.`,
  );
}

const isFlagInRegister = (tag: Tag): boolean =>
  tag.area === 'holding' && (tag.type === 'bool' || tag.type === 'bits');

function continues(run: readonly TagValue[], next: Tag): boolean {
  const first = run[0]?.tag;
  const last = run.at(-1)?.tag;
  if (!first || !last || last.unit !== next.unit || last.area !== next.area) return false;
  const limit = next.area === 'coil' ? MAX_WRITE_BITS : MAX_WRITE_REGISTERS;
  return last.address + last.span === next.address && next.address + next.span - first.address <= limit;
}

function stepOf(tags: readonly TagValue[]): Step {
  const first = tags[0]?.tag;
  if (!first) throw new RangeError('A write needs at least one tag.');
  const { unit, address } = first;
  if (first.area === 'coil') {
    const states = tags.flatMap(({ tag, value }) => encodeFlags(tag, value));
    return {
      tags,
      request: ({ settings }, done) => writeCoils(unit, address, states, settings.alwaysMultiple, done),
    };
  }
  const data = Buffer.concat(tags.map(({ tag, value }) => encodeRegisters(tag, value)));
  return {
    tags,
    request: ({ settings }, done) => writeRegisters(unit, address, data, settings.alwaysMultiple, done),
  };
}

/** One mask write a register; other bits of it stay as they are. */
function maskSteps(one: TagValue): Step[] {
  const { tag, value } = one;
  const flags = encodeFlags(tag, value);
  return Array.from({ length: tag.span }, (_, register) => {
    let touched = 0;
    let set = 0;
    flags.forEach((flag, i) => {
      const bit = tag.bit + i - register * 16;
      if (bit < 0 || bit > 15) return;
      const mask = 1 << (tag.order === 'badc' || tag.order === 'dcba' ? (bit + 8) % 16 : bit);
      touched |= mask;
      if (flag) set |= mask;
    });
    return {
      tags: [one],
      request: (_session, done) =>
        maskRegister(tag.unit, tag.address + register, ~touched & 0xffff, set, done),
    };
  });
}

/** Sends the steps one after the other; the first that fails ends the call and says what was written before. */
export async function writeTags(
  session: Session,
  values: readonly TagValue[],
  scope: Scope,
  clock: Clock,
): Promise<Reading[]> {
  const steps = planWrites(values);
  const written: string[] = [];
  for (const step of steps) {
    const failure = await send(session, step, scope);
    const names = step.tags.map(({ tag }) => tag.name);
    if (failure) throw withProgress(failure, names, written);
    written.push(...names);
  }
  const time = new Date(clock.now()).toISOString();
  return values.map(({ tag, value }) => ({
    tag: tag.name,
    value,
    quality: 'good',
    status: '',
    sourceTime: time,
    receivedTime: time,
    unit: tag.eu,
  }));
}

function send(session: Session, step: Step, scope: Scope): Promise<Failure | undefined> {
  return new Promise((resolve, reject) => {
    const request = step.request(session, (failure) => {
      removeAbort();
      resolve(failure);
    });
    const removeAbort = scope.onAbort((reason) => {
      request.cancelled = true;
      reject(reason);
    });
    if (!request.cancelled) session.submit([request]);
  });
}

/** Earlier steps reached the device, so the call as a whole did, whatever became of this step. */
function withProgress(failure: Failure, failed: readonly string[], written: readonly string[]): Failure {
  const before = written.length > 0 ? ` Written before: ${written.slice(0, 20).join(', ')}.` : '';
  return new Failure(
    failure.kind,
    failure.code,
    `Writing ${failed.slice(0, 20).join(', ')}: ${failure.message}${before}`,
    {
      reached: failure.reached || written.length > 0,
      partial: failure.partial,
      details: { ...failure.details, failed, written },
      cause: failure,
    },
  );
}
