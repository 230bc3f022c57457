import type { Clock, Failure, Reading, Scope } from '../../lib/core';
import type { Note } from '../../lib/roles';
import { NO_VALUE } from './codec';
import { splitBlock } from './plan';
import type { Block, Item } from './plan';
import { readRequest } from './requests';
import type { Request } from './lane';
import type { Session } from './session';
import { isBitArea } from './tags';

/** What a split plan costs is tried again after this long: the device may have been set up meanwhile. */
const RELEARN_MS = 10 * 60_000;

/** The blocks of a set of tags, and what was learnt about addresses that the device does not have. */
export class ReadPlan {
  readonly #original: readonly Block[];
  #blocks: readonly Block[];
  #learntAt = -Infinity;
  /** Number of tags. */
  readonly size: number;

  constructor(blocks: readonly Block[]) {
    this.#original = blocks;
    this.#blocks = blocks;
    this.size = blocks.reduce((sum, block) => sum + block.items.length, 0);
  }

  /** The requests of the next scan. */
  blocks(now: number): readonly Block[] {
    if (this.#blocks !== this.#original && now - this.#learntAt > RELEARN_MS) this.#blocks = this.#original;
    return this.#blocks;
  }

  learn(blocks: readonly Block[], now: number): void {
    if (this.#blocks === this.#original) this.#learntAt = now;
    this.#blocks = blocks;
  }
}

/**
 * Reads all tags of a plan, one reading each, in the order of the tags. A block that fails gives bad readings;
 * only a lost connection fails the whole call.
 */
export function readTags(session: Session, plan: ReadPlan, scope: Scope, clock: Clock): Promise<Reading[]> {
  return new Promise((resolve, reject) => {
    if (scope.reason) return reject(scope.reason);
    const readings = new Array<Reading>(plan.size);
    const blocks = plan.blocks(clock.mono());
    const learnt: Block[] = [];
    const requests: Request[] = [];
    let open = 0;
    let over = false;

    const end = (act: () => void): void => {
      if (over) return;
      over = true;
      removeAbort();
      act();
    };
    const finish = (): void => {
      if (open > 0) return;
      end(() => {
        if (learnt.length > blocks.length) plan.learn(learnt, clock.mono());
        resolve(readings);
      });
    };
    const request = (block: Block): Request => {
      open += 1;
      return readRequest(block.unit, block.area, block.address, block.count, (failure, data) => {
        open -= 1;
        if (over) return;
        if (failure?.kind === 'disconnected') return end(() => reject(failure));
        const halves = failure && refusesPart(failure) ? splitBlock(block) : undefined;
        if (halves) {
          const again = halves.map(request);
          requests.push(...again);
          return session.submit(again);
        }
        learnt.push(block);
        if (data) decodeBlock(block, data, readings, timeOf(clock));
        else markBad(block, failure, readings, timeOf(clock));
        finish();
      });
    };
    const removeAbort = scope.onAbort((reason) =>
      end(() => {
        for (const one of requests) one.cancelled = true;
        reject(reason);
      }),
    );
    requests.push(...blocks.map(request));
    session.submit(requests.slice());
    finish();
  });
}

/** Exceptions that a smaller or differently placed read can avoid: a gap that does not exist, or a low limit. */
function refusesPart(failure: Failure): boolean {
  return failure.code === 'ILLEGAL_ADDRESS' || failure.code === 'ILLEGAL_VALUE';
}

const timeOf = (clock: Clock): string => new Date(clock.now()).toISOString();

/** Modbus carries no time: the moment the answer came is the best that is known about the value. */
function decodeBlock(block: Block, data: Buffer, readings: Reading[], time: string): void {
  const unitBytes = isBitArea(block.area) ? 1 : 2;
  for (const item of block.items) {
    const value = item.decode(data, (item.tag.address - block.address) * unitBytes);
    readings[item.index] =
      value === NO_VALUE
        ? reading(item, null, 'NOT_A_NUMBER', time)
        : {
            tag: item.tag.name,
            value,
            quality: 'good',
            status: '',
            sourceTime: time,
            receivedTime: time,
            unit: item.tag.eu,
          };
  }
}

function markBad(block: Block, failure: Failure | undefined, readings: Reading[], time: string): void {
  const status = failure?.code ?? 'BAD_RESPONSE';
  for (const item of block.items) readings[item.index] = reading(item, null, status, time);
}

function reading(item: Item, value: unknown, status: string, time: string): Reading {
  const { name: tag, eu: unit } = item.tag;
  return { tag, value, quality: 'bad', status, sourceTime: time, receivedTime: time, unit };
}

/** Says in the node's status how many tags there are, or how many are bad. */
export function noteQuality(readings: readonly Reading[], note: Note): void {
  const bad = readings.filter(({ quality }) => quality === 'bad').length;
  if (bad === 0) note(`${readings.length} tags`);
  else note(`${bad} of ${readings.length} tags bad`, 'warn');
}
