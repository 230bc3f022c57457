/** The store and the processes under test as plain JavaScript, so that each of them starts in a tenth of a second. */
import { buildSync } from 'esbuild';
import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from './scratch';

export const ROOT = join(__dirname, '..', '..');

export interface Compiled {
  readonly directory: string;
  /** Path of a process of this folder, by its file name without ending. */
  program(name: string): string;
}

/** Compiles `lib/{core,spec,queue}` and this folder into a folder of their own. */
export function compile(): Compiled {
  const cache = join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const directory = scratch('prove-', cache);
  const lib = globSync('lib/{core,spec,queue}/**/*.ts', {
    cwd: ROOT,
    exclude: (path) => path.endsWith('.test.ts'),
  });
  const helpers = globSync('test/prove/*.ts', { cwd: ROOT, exclude: (path) => path.endsWith('.test.ts') });
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: [...lib, ...helpers],
    outdir: directory,
    outbase: ROOT,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    logLevel: 'error',
  });
  return {
    directory,
    program: (name) => join(directory, 'test/prove', `${name}.js`),
  };
}
