/** The wall clock jumps by a day and back, under libfaketime, while a queue holds records in every state. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClockAnswer, ClockWork } from './clock-victim';
import type { Row } from './faults-report';
import { run } from './process';

const DAY = 86_400;
const JUMPS = [DAY, -DAY, 30 * DAY, -3650 * DAY, 0];
const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/arm-linux-gnueabihf/faketime/libfaketimeMT.so.1',
];

interface Life {
  readonly answers: readonly ClockAnswer[];
  readonly faults: readonly string[];
}

/** One life of the process; its clock begins at the first offset and goes on to each next one after an answer. */
async function live(
  program: string,
  work: ClockWork,
  directory: string,
  offsets: readonly number[],
): Promise<Life> {
  const preload = LIBRARIES.find((path) => existsSync(path));
  if (preload === undefined)
    throw new Error('libfaketime is not installed; install it (apt-get install faketime).');
  const file = join(directory, 'clock');
  const setClock = (offset: number): void => writeFileSync(file, `${offset < 0 ? '' : '+'}${offset}`);
  const left = [...offsets];
  setClock(left.shift() ?? 0);
  const { events, code, errors } = await run<ClockAnswer>(program, work, {
    env: {
      LD_PRELOAD: preload,
      ...{ DONT_FAKE_MONOTONIC: '1', FAKETIME_NO_CACHE: '1', FAKETIME_TIMESTAMP_FILE: file },
    },
    onEvent: (_answer, { say }) => {
      const next = left.shift();
      if (next !== undefined) setClock(next);
      say(next === undefined ? 'stop' : 'go on');
    },
  });
  const faults = code === 0 ? [] : [`The process ended with ${code ?? 'a signal'}: ${errors}`];
  const missing = offsets.length - events.length;
  if (missing !== 0) faults.push(`${missing} answers are missing.`);
  offsets.forEach((offset, index) => {
    const off = (events[index]?.wall ?? 0) - Date.now() - offset * 1000;
    if (Math.abs(off) > 600_000) faults.push(`The clock did not jump by ${offset} s.`);
  });
  return { answers: events, faults };
}

function wrongIn(answer: ClockAnswer, waiting: number, leased: number, delayed: number): string[] {
  const { counts, oldestMs, known, repeated } = answer;
  const expected = { leased, delayed, dead: 0, dropped: 0 };
  const wrong: string[] = [];
  if (answer.leased.length !== waiting)
    wrong.push(`${answer.leased.length} records could be leased, not ${waiting}.`);
  if (JSON.stringify(counts) !== JSON.stringify(expected))
    wrong.push(`The counts are ${JSON.stringify(counts)}.`);
  if (oldestMs < 0 || oldestMs > 600_000) wrong.push(`The oldest record is said to be ${oldestMs} ms old.`);
  if (!known) wrong.push('The key memory forgot its key.');
  if (repeated !== 'duplicate') wrong.push(`A repeated id was ${repeated}.`);
  return wrong;
}

export async function clockJumps(program: string, directory: string): Promise<Row> {
  const folder = join(directory, 'clock-store');
  mkdirSync(folder);
  const first = await live(program, { folder, life: 'first' }, directory, [0, ...JUMPS]);
  // A gateway without a clock's battery boots in the past; what was leased or delayed waits again.
  const second = await live(program, { folder, life: 'second' }, directory, [-3650 * DAY, ...JUMPS]);
  const faults = [
    ...[...first.faults, ...second.faults],
    ...first.answers.flatMap((answer) => wrongIn(answer, 2, 5, 5)),
    ...second.answers.flatMap((answer) => wrongIn(answer, 12, 0, 0)),
  ];
  return {
    ...{ what: 'clock jumps', tries: 2 * JUMPS.length + 1, messages: 12 },
    ...{ refused: 0, duplicated: 0, resumedMs: 0, faults },
  };
}
