/**
 * `npm test`: everything this machine can reach, group after group, and at the end what it could not reach and
 * why. With CI=true anything unreachable is a failure. `tsx tools/test.ts unit -- --grep retry` runs a part.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { installHost } from '../test/e2e/process';
import { probeBroker, probeChromium, probeRegistry, probeSql, type Probe } from '../test/helpers/services';

interface Group {
  readonly name: string;
  readonly files: readonly string[];
  readonly limitMs: number;
}
interface Tally {
  passed: number;
  failed: number;
  readonly failures: string[];
}
/** One test as mocha's json-stream reporter tells it. */
interface Told {
  readonly fullTitle: string;
  readonly duration?: number;
  readonly err?: string;
  readonly stack?: string;
}

/** Longer than any single test or hook may take. */
const STALL_MS = 180_000;
const ROOT = join(__dirname, '..');
const GROUPS: readonly Group[] = [
  {
    name: 'unit',
    files: [
      '{lib,nodes,tools}/**/*.test.ts',
      'test/{faults,helpers,bench,queue,prove}/**/*.test.ts',
      'test/*.test.ts',
    ],
    limitMs: 20_000,
  },
  { name: 'contract', files: ['test/contract/**/*.test.ts'], limitMs: 60_000 },
  { name: 'e2e', files: ['test/e2e/**/*.e2e.ts'], limitMs: 300_000 },
];
/** Which end-to-end files need which service. */
const NEEDS: readonly { readonly service: string; readonly file: RegExp }[] = [
  { service: 'Chromium', file: /\/editor[^/]*\.e2e\.ts$/ },
  { service: 'npm registry', file: /\/install[^/]*\.e2e\.ts$/ },
];

async function main(args: readonly string[]): Promise<number> {
  const split = args.indexOf('--');
  const names = split < 0 ? args : args.slice(0, split);
  const passOn = split < 0 ? [] : args.slice(split + 1);
  const unknown = names.filter((name) => !GROUPS.some((group) => group.name === name));
  if (unknown.length > 0)
    throw new Error(
      `No test group is called ${unknown.join(', ')}; there are ${GROUPS.map((group) => group.name).join(', ')}.`,
    );

  const chosen = GROUPS.filter((group) => names.length === 0 || names.includes(group.name));
  const missing = (await probeAll()).flatMap((probe) => ('missing' in probe ? [probe] : []));
  process.env['HOLDFAST_UNREACHED'] = missing.map((probe) => probe.name).join(',');
  const tally: Tally = { passed: 0, failed: 0, failures: [] };
  // The editor's tests look for the older Node-RED when they are loaded.
  const e2e = chosen.some((group) => group.name === 'e2e');
  if (e2e && !missing.some((probe) => probe.name === 'npm registry'))
    await installHost('nr41', 'Node-RED 4.1');
  for (const group of chosen)
    await runGroup(
      group,
      missing.map((probe) => probe.name),
      passOn,
      tally,
    );
  report(tally, missing);
  return tally.failed === 0 ? 0 : 1;
}

function probeAll(): Promise<readonly Probe[]> {
  return Promise.all([
    probeSql('PostgreSQL'),
    probeSql('MariaDB'),
    probeBroker('NATS'),
    probeBroker('RabbitMQ'),
    Promise.resolve(probeChromium()),
    probeRegistry(),
  ]);
}

async function runGroup(
  group: Group,
  missing: readonly string[],
  passOn: readonly string[],
  tally: Tally,
): Promise<void> {
  const unreachable = NEEDS.filter((need) => missing.includes(need.service));
  const files = globSync([...group.files], { cwd: ROOT, exclude: (path) => /node_modules|dist/.test(path) })
    .filter((file) => !unreachable.some((need) => need.file.test(file)))
    .sort();
  if (files.length === 0) return;
  console.log(`\n── ${group.name} ──`);
  const began = performance.now();
  const seen = { passed: 0, failed: 0, ended: false };
  const code = await mocha([...files, '--timeout', String(group.limitMs), ...passOn], (kind, told) => {
    if (kind === 'end') seen.ended = true;
    if (kind === 'pass') seen.passed += 1;
    if (kind === 'fail') {
      seen.failed += 1;
      tally.failures.push(
        `${told.fullTitle}\n    ${(told.stack ?? told.err ?? '').replaceAll('\n', '\n    ')}`,
      );
    }
    if (kind === 'pass' || kind === 'fail') console.log(lineOf(kind, told));
  });
  if (!seen.ended || (code !== 0 && seen.failed === 0)) {
    seen.failed += 1;
    tally.failures.push(
      `${group.name}: the test process ended early or failed outside a test (exit code ${code}).`,
    );
  }
  tally.passed += seen.passed;
  tally.failed += seen.failed;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${group.name}: ${seen.passed} of ${seen.passed + seen.failed} in ${seconds} s`);
}

function lineOf(kind: 'pass' | 'fail', told: Told): string {
  const slow = (told.duration ?? 0) > 500 ? ` (${told.duration} ms)` : '';
  return `  ${kind === 'pass' ? '✔' : '✘'} ${told.fullTitle}${slow}`;
}

/** Runs mocha in a process of its own; lines that are not reports are passed through. */
function mocha(args: readonly string[], onReport: (kind: string, told: Told) => void): Promise<number> {
  const bin = join(ROOT, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const child = spawn(process.execPath, [bin, '--reporter', 'json-stream', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stalled = (): void => {
    console.error(`No test ended for ${STALL_MS / 60_000} minutes; something does not let go.`);
    child.kill('SIGKILL');
  };
  let guard = setTimeout(stalled, STALL_MS);
  createInterface({ input: child.stdout }).on('line', (line) => {
    clearTimeout(guard);
    guard = setTimeout(stalled, STALL_MS);
    const told = parseReport(line);
    if (told) onReport(told[0], told[1]);
    else console.log(line);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(guard);
      resolve(code ?? 1);
    });
  });
}

function parseReport(line: string): [string, Told] | undefined {
  if (!/^\["(start|pass|fail|end)",/.test(line)) return undefined;
  try {
    return JSON.parse(line) as [string, Told];
  } catch {
    return undefined;
  }
}

function report(tally: Tally, missing: readonly { readonly name: string; readonly missing: string }[]): void {
  for (const failure of tally.failures) console.log(`\n✘ ${failure}`);
  if (missing.length > 0) {
    console.log('\nNot reached, so its tests did not run:');
    for (const probe of missing) console.log(`  ${probe.name}: ${probe.missing}`);
    if (process.env['CI'] === 'true') tally.failed += missing.length;
  } else {
    console.log('\nEverything was reached: PostgreSQL, MariaDB, NATS, RabbitMQ, Chromium, npm registry.');
  }
  console.log(`\n${tally.passed} passed, ${tally.failed} failed`);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
