/**
 * A disk that fills up: a small file system in memory, in a mount namespace that ends with the process. What does not
 * fit is refused, another store of the process goes on, and once space returns so does the queue.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './check';
import { faultsOf, type Row } from './faults-report';
import { run } from './process';
import { BALLAST } from './steady';
import type { SteadyWork } from './steady-victim';

const SIZE_MIB = 12;
const BALLAST_MIB = 6;
const MOST_RESUME_MS = 10_000;
const REFUSALS = 20;
const TICKS = 20;
const AFTERWARDS = 200;

function inSmallFileSystem(folder: string): readonly string[] {
  const ballast = `head -c ${BALLAST_MIB}M /dev/zero > "$0/${BALLAST}"`;
  const script = `mount -t tmpfs -o size=${SIZE_MIB}m none "$0" && ${ballast} && exec "$@"`;
  return ['unshare', '-rm', 'sh', '-c', script, folder];
}

export function smallFileSystemMissing(folder: string): string | undefined {
  const [command = '', ...args] = inSmallFileSystem(folder);
  if (spawnSync(command, [...args, 'true']).status === 0) return undefined;
  return 'A small file system cannot be mounted here: allow user namespaces (sysctl kernel.unprivileged_userns_clone=1) or run as root.';
}

export async function diskFull(program: string, directory: string): Promise<Row> {
  const [folder, other] = [join(directory, 'full'), join(directory, 'beside')];
  for (const path of [folder, other]) mkdirSync(path);
  const missing = smallFileSystemMissing(folder);
  if (missing !== undefined) throw new Error(missing);
  const work: SteadyWork = {
    ...{ folder, other, most: 0, keys: 3, bytes: 2000, puts: 4, window: 4, first: 1, late: true },
  };
  const seen = { refused: 0, ticks: 0, stored: 0, freedAt: 0, resumedMs: 0 };
  const outcome = await run(program, work, {
    wrapper: inSmallFileSystem(folder),
    limitMs: 120_000,
    onEvent: (event, { say }) => {
      if (event.e === 'refused') seen.refused += 1;
      if (event.e === 'other' && seen.refused > 0 && seen.freedAt === 0) seen.ticks += 1;
      if (seen.freedAt === 0 && seen.refused >= REFUSALS && seen.ticks >= TICKS) {
        seen.freedAt = performance.now();
        say('free');
      }
      if (event.e !== 'put' || seen.freedAt === 0) return;
      seen.resumedMs ||= performance.now() - seen.freedAt;
      seen.stored += 1;
      if (seen.stored === AFTERWARDS) say('stop');
    },
  });
  const verdict = check(outcome.events, { window: 4 });
  const faults = faultsOf(verdict);
  if (outcome.code !== 0)
    faults.push(`The process ended with ${outcome.code ?? 'a signal'}: ${outcome.errors}`);
  if (seen.ticks < TICKS) faults.push('The other store stood still while the disk was full.');
  if (!(seen.resumedMs > 0 && seen.resumedMs <= MOST_RESUME_MS))
    faults.push(`The queue resumed after ${seen.resumedMs} ms; at most ${MOST_RESUME_MS}.`);
  const codes = new Set(outcome.events.flatMap((event) => (event.e === 'refused' ? [event.code] : [])));
  if ([...codes].join() !== 'QUEUE_UNAVAILABLE')
    faults.push(`Puts were refused with ${[...codes].join(', ')}.`);
  const { messages, duplicated } = verdict;
  return {
    what: 'disk full',
    tries: 1,
    messages,
    refused: seen.refused,
    duplicated,
    resumedMs: seen.resumedMs,
    faults,
  };
}
