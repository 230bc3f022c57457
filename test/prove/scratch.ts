/** A temporary folder that is gone when this process ends, also when it is interrupted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function scratch(name: string, parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, name));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
