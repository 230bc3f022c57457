/** `npm run bench -- <suite|all> [--json]`: one JSON line a figure, or a table for people. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchSuite, Figure, Report, Result } from './types';

const NO_SUITES = new Set(['run', 'types', 'measure']);

function suiteNames(): string[] {
  return readdirSync(__dirname)
    .filter((file) => /^[a-z]+\.ts$/.test(file))
    .map((file) => file.slice(0, -3))
    .filter((name) => !NO_SUITES.has(name))
    .sort();
}

function toFigure({ name, ours, reference, unit, target, ok }: Result): Figure {
  const ratio = reference === undefined || reference === 0 ? null : rounded(ours / reference);
  return {
    name,
    ours: rounded(ours),
    reference: rounded(reference ?? NaN),
    ratio,
    unit,
    target,
    ok,
  } as Figure;
}

/** Three significant decimals; JSON has no NaN. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : null;
}

function table(figures: readonly Figure[]): string {
  const head = ['figure', 'ours', 'reference', 'ratio', 'unit', 'target', ''];
  const cell = (value: number | null): string => (value === null ? '-' : String(value));
  const rows = figures.map((f) => [
    f.name,
    cell(f.ours),
    cell(f.reference),
    cell(f.ratio),
    f.unit,
    f.target,
    f.ok ? 'ok' : 'MISSED',
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const json = args.includes('--json');
  const wanted = args.find((arg) => !arg.startsWith('-'));
  const known = suiteNames();
  if (!wanted || (wanted !== 'all' && !known.includes(wanted))) {
    process.stderr.write(`Usage: npm run bench -- <${[...known, 'all'].join('|')}> [--json]\n`);
    return 2;
  }
  const figures: Figure[] = [];
  const report: Report = {
    figure(result) {
      const figure = toFigure(result);
      figures.push(figure);
      if (json) process.stdout.write(`${JSON.stringify(figure)}\n`);
    },
    note: (text) => void process.stderr.write(`${text}\n`),
  };
  let broken = false;
  for (const name of wanted === 'all' ? known : [wanted]) {
    const file = join(__dirname, `${name}.ts`);
    if (!existsSync(file)) continue;
    report.note(`${name} …`);
    try {
      const { suite } = (await import(file)) as { suite: BenchSuite };
      await suite.run(report);
    } catch (error) {
      broken = true;
      report.note(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  if (!json) process.stdout.write(`${table(figures)}\n`);
  return broken || figures.some((figure) => !figure.ok) ? 1 : 0;
}

/** Ends the process also when a measured client leaves a socket open, once everything is written. */
function exit(code: number): void {
  process.stdout.write('', () => process.exit(code));
}

main().then(exit, (error: unknown) => {
  console.error(error);
  exit(1);
});
