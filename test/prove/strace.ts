/** strace: counts the calls that change the store's files, and kills or fails at a chosen one. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Every way in which SQLite, Node or libuv change a file or a folder. */
export const CHANGING = [
  ...['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'fsync', 'fdatasync', 'ftruncate', 'fallocate'],
  ...['rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'link', 'linkat', 'mkdir', 'openat'],
] as const;

const COMMON = ['strace', '-f', '-qq'] as const;

/** The sentence to stop with where strace does not work. */
export function straceMissing(): string | undefined {
  const probe = spawnSync('strace', [...COMMON.slice(1), '-e', 'trace=fsync', '-o', '/dev/null', 'true']);
  if (probe.status === 0) return undefined;
  return 'strace is not installed or may not trace here; install it (apt-get install strace) and run as a user who may.';
}

/** Writes all changing calls to `output`. */
export function recording(output: string): readonly string[] {
  return [...COMMON, '-y', '-s', '0', '-o', output, '-e', `trace=${CHANGING.join(',')}`];
}

/** `action`: `signal=SIGKILL`, `error=EIO` …; `when`: `3` for the third call of a thread, `3+` for it and all later. */
export function injecting(
  paths: readonly string[],
  call: string,
  action: string,
  when: string,
): readonly string[] {
  const filters = paths.flatMap((path) => ['-P', path]);
  return [
    ...COMMON,
    '-o',
    '/dev/null',
    ...filters,
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:${action}:when=${when}`,
  ];
}

export interface Recording {
  /** Calls on the folder's files, the most of one thread: injection counts by thread. */
  readonly counts: ReadonlyMap<string, number>;
  readonly paths: readonly string[];
}

/** What a recording holds about the files of one folder and the folder itself. */
export function readRecording(file: string, folder: string): Recording {
  const counts = new Map<string, number>();
  const byThread = new Map<string, number>();
  const paths = new Set<string>([folder]);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, thread = '', call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    const touched = [...line.matchAll(/[<"](\/[^<>"]*?)(?:\(deleted\))?[>"]/g)]
      .map(([, path = '']) => path)
      .filter((path) => path === folder || path.startsWith(`${folder}/`));
    if (call === undefined || touched.length === 0) continue;
    for (const path of touched) paths.add(path);
    const count = (byThread.get(`${thread} ${call}`) ?? 0) + 1;
    byThread.set(`${thread} ${call}`, count);
    counts.set(call, Math.max(count, counts.get(call) ?? 0));
  }
  return { counts, paths: [...paths] };
}
