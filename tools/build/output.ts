/** Writes generated files, only where they differ, and removes those whose source is gone. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Output } from './model';

/** Paths whose content on disk differs from what would be generated. */
export function stale(root: string, output: Output, folders: readonly string[]): string[] {
  const differing = [...output].filter(([path, text]) => readText(join(root, path)) !== text);
  const extra = folders.flatMap((folder) => filesBelow(root, folder)).filter((path) => !output.has(path));
  return [...differing.map(([path]) => path), ...extra].sort();
}

export function write(root: string, output: Output, folders: readonly string[]): string[] {
  const changed = stale(root, output, folders);
  for (const path of changed) {
    const text = output.get(path);
    const file = join(root, path);
    if (text === undefined) {
      rmSync(file);
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return changed;
}

/** Compiled files of sources that no longer exist: what is deleted must be gone. */
export function removeOrphans(root: string, folder: 'lib' | 'nodes'): void {
  for (const path of filesBelow(root, join('dist', folder))) {
    const source = relative('dist', path).replace(/\.(js|js\.map|d\.ts)$/, '.ts');
    if (!existsSync(join(root, source))) rmSync(join(root, path));
  }
}

export function filesBelow(root: string, folder: string): string[] {
  const full = join(root, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
