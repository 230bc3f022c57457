/** For tests: the declarations of a compiled tree, which is built when that was not done yet. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './compile';
import { discover, type Discovered } from './discover';

export function compiled(root: string): Discovered {
  if (!existsSync(join(root, 'dist/lib/roles/framework-fields.js'))) compile(root);
  return discover(root);
}
