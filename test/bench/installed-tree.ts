/** The package as a user gets it: packed, then installed into an empty folder. */
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const NPM_LIMIT_MS = 300_000;

/** npm of the machine, without what an outer `npm run` put into the environment. */
function npm(cwd: string, ...args: string[]): string {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^npm_(package|lifecycle)/.test(key)),
  );
  return execFileSync('npm', [...args, '--loglevel=error'], {
    cwd,
    env,
    encoding: 'utf8',
    timeout: NPM_LIMIT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Packs the built package into `folder`; returns the tarball's path. */
export function pack(root: string, folder: string): string {
  const [packed] = JSON.parse(
    npm(root, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder),
  ) as {
    filename: string;
  }[];
  if (!packed) throw new Error('npm pack named no file.');
  return join(folder, packed.filename);
}

/** Installs a tarball as Node-RED's palette manager does: production dependencies only. */
export function install(tarball: string, folder: string, ...flags: string[]): void {
  npm(folder, 'install', '--prefix', folder, '--omit=dev', '--no-audit', '--no-fund', ...flags, tarball);
}

/** Disk space of a folder in MiB, counted in blocks as `du` does. */
export function diskMiB(folder: string): number {
  let blocks = 0;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    blocks += lstatSync(join(folder, entry)).blocks;
  }
  return (blocks * 512) / 2 ** 20;
}
