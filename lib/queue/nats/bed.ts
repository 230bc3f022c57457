/** What the parts of one open queue share. */
import { Failure } from '../../core';
import type { QueueOptions } from '../types';
import type { Graves } from './graves';
import type { HeldTable } from './held';
import type { Hints } from './hints';
import type { QueueNames } from './names';
import type { Notes } from './notes';
import type { ServerTime } from './server-time';
import type { Session } from './session';
import type { Tally } from './tally';

export interface Bed {
  readonly session: Session;
  readonly name: string;
  readonly names: QueueNames;
  readonly options: QueueOptions;
  readonly notes: Notes;
  readonly tally: Tally;
  readonly hints: Hints;
  readonly graves: Graves;
  readonly held: HeldTable;
  /** Records that this gateway gave back: position, and the monotonic time until which they are delayed. */
  readonly returned: Map<number, number>;
  readonly time: ServerTime;
}

/** `returned` only serves inspection; beyond this it forgets. */
const MOST_RETURNED = 10_000;

export function rememberReturned(bed: Bed, seq: number, delayMs: number): void {
  if (bed.returned.size >= MOST_RETURNED) bed.returned.clear();
  bed.returned.set(seq, bed.session.clock.mono() + delayMs);
}

export function queueFull(bed: Bed): Failure {
  const { maxRecords, maxBytes } = bed.options;
  const limits = [maxRecords ? `${maxRecords} records` : '', maxBytes ? `${maxBytes} bytes` : ''];
  return new Failure(
    'transient',
    'QUEUE_FULL',
    `The queue "${bed.name}" is full (${limits.filter(Boolean).join(', ')}); the message was not stored. Check what takes from it, or raise its limits.`,
    { reached: false },
  );
}
