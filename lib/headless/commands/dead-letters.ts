/** `holdfast dead-letters`: what failed for good, on a console, whether Node-RED runs or not. */
import { isFailure, systemClock, toFailure, type Clock, type Log } from '../../core';
import type { DeadAnswer } from '../../queue/dead';
import type { QueueStore } from '../../queue/types';
import { askUserDir } from './dead-access';
import { readOrder, USAGE, type DeadOrder } from './dead-order';
import { letterLines, pageLines } from './dead-text';
import { harmless, harmlessLines } from './harmless';

type Print = (line: string) => void;

const NARROW = 80;
const WIDE = 120;
/** The command was wrong, not the store. */
const WRONG = new Set(['BAD_MESSAGE', 'BAD_CONFIG', 'NOT_STORABLE']);

export interface Surroundings {
  readonly clock: Clock;
  readonly user: number | undefined;
  /** Columns of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  readonly openStore: (path: string) => Promise<QueueStore>;
}

/** Runs the command. Returns the exit code. */
export async function deadLetters(
  args: readonly string[],
  print: Print,
  complain: Print = print,
  around: Surroundings = surroundings(complain),
): Promise<number> {
  let order: DeadOrder | undefined;
  try {
    order = readOrder(args);
  } catch (error) {
    complain(harmlessLines(error instanceof Error ? error.message : String(error)));
    return 2;
  }
  if (!order) {
    print(USAGE);
    return 0;
  }
  try {
    const answer = await askUserDir({ ...around, userDir: order.userDir }, order.action, order.request);
    for (const line of lines(answer, order, around.columns)) print(line);
    return 0;
  } catch (error) {
    complain(harmless(toFailure(error).message));
    return isFailure(error) && WRONG.has(error.code) ? 2 : 1;
  }
}

function lines(
  answer: DeadAnswer,
  { json, text }: DeadOrder,
  columns: number | undefined,
): readonly string[] {
  if ('message' in answer && text) return [harmlessLines(answer.message)];
  if (json) return [harmlessLines(JSON.stringify(answer, null, 2))];
  if ('letters' in answer) return pageLines(answer, Math.min(WIDE, Math.max(NARROW, columns ?? NARROW)));
  if ('message' in answer) return letterLines(answer);
  return 'replayed' in answer
    ? [`${counted(answer.replayed)} put back into the queues.`]
    : [`${counted(answer.purged)} removed.`];
}

function counted(count: number): string {
  return `${count} dead ${count === 1 ? 'letter' : 'letters'}`;
}

function surroundings(complain: Print): Surroundings {
  const say: Print = (text) => complain(harmlessLines(text));
  const log: Log = { error: say, warn: say, info() {}, debug() {} };
  const file = (): typeof import('../../queue/file/store') =>
    require('../../queue/file/store') as typeof import('../../queue/file/store');
  return {
    clock: systemClock,
    user: process.getuid?.(),
    columns: process.stdout.columns,
    openStore: (path) => file().openFileStore({ path, clock: systemClock, log }),
  };
}
