/** The colours of the editor plugin: Node-RED's variables alone, each with a system colour to fall back on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './build/output';

const ROOT = join(__dirname, '..');
/** Everything that styles elements in the editor. */
const FILES = [...filesBelow(ROOT, 'lib/editor'), 'nodes/map/editor.ts'];
const SYSTEM = 'Canvas|CanvasText|GrayText|Highlight|currentColor';
const PROPERTY =
  /(?:^|[\s;{"'`])(color|background|background-color|border[a-z-]*|outline|box-shadow|fill|stroke)\s*:\s*([^;}'`]+)/g;
const LITERAL =
  /#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(|\b(?:black|white|red|green|blue|yellow|orange|gr[ae]y|silver)\b/i;

/** What is wrong with the colours of a style sheet, one line each. */
export function colourProblems(css: string): string[] {
  const found: string[] = [];
  for (const [, name = '', value = ''] of css.matchAll(PROPERTY)) {
    const bare = value.replace(/var\(--[\w-]+(?:,[^()]*)?\)/g, '');
    if (LITERAL.test(bare)) found.push(`${name}: ${value.trim()}`);
  }
  for (const [use, name = '', fallback] of css.matchAll(/var\((--red-ui-[\w-]+)\s*(?:,\s*([^()]*))?\)/g)) {
    const fits = name.endsWith('-font')
      ? fallback !== undefined
      : new RegExp(`^(?:${SYSTEM})$`).test(fallback ?? '');
    if (!fits) found.push(use);
  }
  return found;
}

describe('editor styles', () => {
  const sources = FILES.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')] as const);

  it('take every colour from a variable of the theme, with a system colour to fall back on', () => {
    const wrong = sources.flatMap(([file, text]) => colourProblems(text).map((one) => `${file}: ${one}`));
    assert.deepEqual(wrong, []);
    assert.ok(sources.join().split('var(--red-ui-').length > 20, 'the styles were not found');
  });

  it('would not pass with a literal colour or a variable without fallback', () => {
    for (const css of [
      '.a { color: #fff; }',
      '.a { border: 1px solid rgb(0 0 0 / 10%); }',
      '.a { background: white }',
      '.a { color: var(--red-ui-text-color); }',
      '.a { color: var(--red-ui-text-color, #333); }',
    ]) {
      assert.equal(colourProblems(css).length, 1, css);
    }
    assert.deepEqual(colourProblems('.a { color: var(--red-ui-text-color, CanvasText); opacity: .4 }'), []);
  });
});
