/** Calls of the store that fail: what was confirmed stays, what was refused is not there, and the store resumes. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './check';
import { faultsOf, type Row } from './faults-report';
import type { LedgerEvent } from './ledger';
import { pool } from './pool';
import { run, type Control } from './process';
import type { SteadyWork } from './steady-victim';
import { injecting } from './strace';

interface Fault {
  readonly what: string;
  readonly call: string;
  readonly action: string;
  /** So many calls in a row. */
  readonly times: number;
}

const FAULTS: readonly Fault[] = [
  { what: 'fsync fails (EIO)', call: 'fsync', action: 'error=EIO', times: 1 },
  { what: 'fsync fails five times', call: 'fsync', action: 'error=EIO', times: 5 },
  { what: 'write fails (EIO)', call: 'pwrite64', action: 'error=EIO', times: 1 },
  { what: 'no space (ENOSPC)', call: 'pwrite64', action: 'error=ENOSPC', times: 3 },
  { what: 'write takes nothing', call: 'pwrite64', action: 'retval=0', times: 1 },
  { what: 'read-only (EROFS)', call: 'pwrite64', action: 'error=EROFS', times: 2 },
  { what: 'cut fails (EIO)', call: 'ftruncate', action: 'error=EIO', times: 1 },
];
/** Which call fails first: while the file is made, early and late under load. */
const FIRST = {
  fsync: [12, 15, 20, 26, 33, 41, 50, 60],
  pwrite64: [60, 75, 90, 120, 150, 200, 260, 330],
  ftruncate: [1, 2, 3],
};
const FILES = ['', '/queues.db', '/queues.db-wal', '/queues.db-shm', '/queues.db-journal'];
/** After the last call that failed; a store that tries every five seconds meets each of them at another time. */
const MOST_RESUME_MS = 10_000;
const BETWEEN_TRIES_MS = 5_500;
const WINDOW = 4;

interface Tried {
  readonly events: readonly LedgerEvent[];
  readonly resumedMs: number;
  readonly faults: string[];
}

async function attempt(program: string, directory: string, fault: Fault, first: number): Promise<Tried> {
  const place = join(directory, `${fault.what} ${first}`);
  const [folder, other] = [join(place, 'failing'), join(place, 'beside')];
  for (const path of [folder, other]) mkdirSync(path, { recursive: true });
  const when = fault.times === 1 ? String(first) : `${first}..${first + fault.times - 1}`;
  const work: SteadyWork = {
    ...{ folder, other, most: 150, keys: 3, bytes: 40, puts: 2, window: WINDOW, first: 1, late: false },
  };
  const resumed = resumption();
  const { events, code, errors } = await run(program, work, {
    wrapper: injecting(
      FILES.map((file) => folder + file),
      fault.call,
      fault.action,
      when,
    ),
    onEvent: resumed.hear,
  });
  rmSync(place, { recursive: true });
  const faults = faultsOf(check(events, { window: WINDOW }));
  if (code !== 0) faults.push(`The process ended with ${code ?? 'a signal'}: ${errors}`);
  const most = MOST_RESUME_MS + (fault.times - 1) * BETWEEN_TRIES_MS;
  if (resumed.longest() > most) faults.push(`It resumed after ${resumed.longest()} ms.`);
  return { events, resumedMs: resumed.longest(), faults: faults.map((text) => `call ${first}: ${text}`) };
}

/** Between a refusal and the next put that was confirmed. */
function resumption(): { hear: (event: LedgerEvent, control: Control) => void; longest: () => number } {
  let since: number | undefined;
  let longest = 0;
  return {
    hear: (event) => {
      if (event.e === 'refused') since ??= performance.now();
      if (event.e !== 'put' || since === undefined) return;
      longest = Math.max(longest, performance.now() - since);
      since = undefined;
    },
    longest: () => longest,
  };
}

export async function diskErrors(program: string, directory: string, quick: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const fault of FAULTS) {
    const all = FIRST[fault.call as keyof typeof FIRST];
    const firsts = quick ? all.slice(0, 2) : all;
    const tried: Tried[] = [];
    // They mostly wait for the next probe of the store.
    await pool(firsts, firsts.length, async (first) => {
      tried.push(await attempt(program, directory, fault, first));
    });
    const events = tried.flatMap((one) => one.events);
    rows.push({
      what: fault.what,
      tries: firsts.length,
      messages: events.filter((event) => event.e === 'put').length,
      refused: events.filter((event) => event.e === 'refused').length,
      duplicated: tried.reduce((sum, one) => sum + check(one.events, { window: WINDOW }).duplicated, 0),
      resumedMs: Math.max(...tried.map((one) => one.resumedMs)),
      faults: tried.flatMap((one) => one.faults),
    });
  }
  return rows;
}
