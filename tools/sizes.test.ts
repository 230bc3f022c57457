/** Small files: a reader holds one in the head. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './build/output';

const ROOT = join(__dirname, '..');
const LONGEST = 400;
const LONGEST_ADAPTER = 120;
const MEDIAN = 100;

const sizes = ['lib', 'nodes', 'tools', 'test']
  .flatMap((folder) => filesBelow(ROOT, folder))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1 }));

describe('file sizes', () => {
  it(`stay at ${LONGEST} lines or fewer`, () => {
    assert.deepEqual(
      sizes.filter(({ lines }) => lines > LONGEST),
      [],
    );
  });

  it(`stay below ${LONGEST_ADAPTER} lines in adapters`, () => {
    assert.deepEqual(
      sizes.filter(({ file, lines }) => /^nodes\/.*\/adapter\.ts$/.test(file) && lines >= LONGEST_ADAPTER),
      [],
    );
  });

  it(`have a median below ${MEDIAN} lines`, () => {
    const sorted = sizes.map(({ lines }) => lines).sort((a, b) => a - b);
    assert.ok((sorted[sorted.length >> 1] ?? 0) < MEDIAN);
  });
});
