/** TypeScript to dist/lib and dist/nodes, incrementally. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeOrphans } from './output';

/** Returns the compiler's messages; empty when everything is right. Files with errors are emitted too. */
export function compile(root: string): string {
  if (!existsSync(join(root, 'dist/lib'))) rmSync(join(root, '.cache/build.tsbuildinfo'), { force: true });
  const tsc = require.resolve('typescript/bin/tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
  });
  removeOrphans(root, 'lib');
  removeOrphans(root, 'nodes');
  return run.status === 0 ? '' : run.stdout + run.stderr;
}
