/** What the installed package costs before any of its nodes is used: start-up time, memory, disk. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskMiB, install, pack } from './installed-tree';
import { interleave, median } from './measure';
import { startUp } from './start-up';
import type { BenchSuite, Report } from './types';

const ROOT = join(__dirname, '..', '..');
const ROUNDS = 9;
const MOST_RATIO = 1.08;
const MOST_MEMORY_MIB = 10;
const MOST_DISK_MIB = { with: 75, without: 35 } as const;

function folder(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path);
  return path;
}

async function measureStart(report: Report, bare: string, full: string): Promise<void> {
  const memory: Record<'bare' | 'full', number[]> = { bare: [], full: [] };
  const start = (name: 'bare' | 'full', userDir: string) => async (): Promise<number> => {
    const { ms, rssMiB, sets } = await startUp(ROOT, userDir);
    memory[name].push(rssMiB);
    // A package whose nodes did not load would be quick for the wrong reason.
    const ours = sets.filter((set) => set.module.startsWith('@holdfast/'));
    const broken = ours.filter((set) => set.err !== undefined).map((set) => set.id);
    if (broken.length > 0) throw new Error(`Node-RED could not load ${broken.join(', ')}.`);
    if ((name === 'full') !== ours.length > 0)
      throw new Error(`${ours.length} node sets in the ${name} case.`);
    return ms;
  };
  const ms = await interleave({ bare: start('bare', bare), full: start('full', full) }, ROUNDS);
  report.figure({
    name: 'load: time to started flows',
    ours: ms.full,
    reference: ms.bare,
    unit: 'ms',
    target: `at most ${MOST_RATIO} times bare Node-RED`,
    ok: ms.full / ms.bare <= MOST_RATIO,
  });
  const rss = { ours: median(memory.full.slice(1)), reference: median(memory.bare.slice(1)) };
  report.figure({
    name: 'load: resident memory',
    ...rss,
    unit: 'MiB',
    target: `at most ${MOST_MEMORY_MIB} MiB above bare Node-RED`,
    ok: rss.ours - rss.reference <= MOST_MEMORY_MIB,
  });
}

async function run(report: Report): Promise<void> {
  const temp = mkdtempSync(join(tmpdir(), 'holdfast-bench-load-'));
  try {
    const tarball = pack(ROOT, temp);
    const [bare, full, small] = [folder(temp, 'bare'), folder(temp, 'full'), folder(temp, 'small')];
    report.note('installing the packed package with and without optional dependencies …');
    install(tarball, full);
    install(tarball, small, '--omit=optional');
    for (const [kind, path] of [
      ['with', full],
      ['without', small],
    ] as const) {
      const ours = diskMiB(path);
      const most = MOST_DISK_MIB[kind];
      const name = `load: installed tree ${kind} optional dependencies`;
      report.figure({ name, ours, unit: 'MiB', target: `at most ${most} MiB`, ok: ours <= most });
    }
    report.note(`starting Node-RED ${2 * (ROUNDS + 1)} times …`);
    await measureStart(report, bare, full);
  } finally {
    rmSync(temp, { recursive: true, force: true, maxRetries: 3 });
  }
}

export const suite: BenchSuite = { name: 'load', run };
