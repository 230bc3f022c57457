/** What the generator writes: the scorecard can read it, translations are complete, steps are self-contained. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text, typed } from '../lib/spec';
import { inline } from './build/bundle';
import { compiled } from './build/compiled';
import { generate } from './build/generate';
import { legacyNames, migrationSource } from './build/migration';
import { drift } from './build/translations';

const ROOT = join(__dirname, '..');

describe('generated files', () => {
  const { components } = compiled(ROOT);
  const { dist, committed, drifts } = generate(ROOT, components, false);

  it('hold a script, a page, texts and help for every component', () => {
    for (const { base } of components) {
      for (const file of [
        `${base}.js`,
        `${base}.html`,
        `locales/en-US/${base}.json`,
        `locales/en-US/${base}.html`,
      ]) {
        assert.ok(dist.has(`dist/red/${file}`), file);
      }
      assert.ok(committed.has(`docs/reference/${base}.md`), base);
    }
  });

  it('are the same from one run to the next', () => {
    const again = generate(ROOT, components, false);
    assert.deepEqual([...again.dist], [...dist]);
    assert.deepEqual([...again.committed], [...committed]);
  });

  it('are read by the official scorecard as Node-RED reads them', () => {
    const { getNodeDefinitions } = scorecard();
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-pages-'));
    try {
      for (const component of components) {
        const file = join(folder, `${component.base}.html`);
        writeFileSync(file, dist.get(`dist/red/${component.base}.html`) ?? '');
        const definition = getNodeDefinitions(file)[component.type];
        assert.ok(definition, component.type);
        const plain = Object.entries(component.fields).filter(([, { kind }]) => kind !== 'secret');
        for (const [name] of plain) assert.ok(definition.defaults[name], `${component.type}.${name}`);
        assert.equal(definition.category, component.role === 'connector' ? 'config' : 'Holdfast');
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('have a complete translation into every language', () => {
    const gaps = drifts.flatMap(({ file, missing, obsolete }) => [
      ...missing.map((key) => `${file} lacks ${key}`),
      ...obsolete.map((key) => `${file} has ${key}, which English does not`),
    ]);
    assert.deepEqual(gaps, []);
  });

  it('keep the placeholders of a text in its translation', () => {
    const marks = (value: string): string => [...value.matchAll(/\{\{\w+\}\}/g)].map(String).sort().join();
    for (const path of dist.keys()) {
      if (!path.endsWith('.json') || path.includes('en-US')) continue;
      const english = flat(dist.get(path.replace(/locales\/[^/]+/, 'locales/en-US')) ?? '{}');
      for (const [key, value] of flat(dist.get(path) ?? '{}')) {
        assert.equal(marks(value), marks(english.get(key) ?? ''), `${path}: ${key}`);
      }
    }
  });
});

describe('translation drift', () => {
  it('names missing and obsolete keys', () => {
    const found = drift('de.json', { a: 'A', b: { c: 'C' } }, { a: 'A', b: { d: 'D' } });
    assert.deepEqual(found, { file: 'de.json', missing: ['b.c'], obsolete: ['b.d'] });
  });
});

describe('migration in the editor', () => {
  const fields = {
    address: text({ label: 'Address', help: 'Where.', default: '' }),
    value: typed({ label: 'Value', help: 'What.', default: { type: 'msg', value: '' }, types: ['msg'] }),
  };

  it('keeps settings that only old versions had, so that Node-RED does not drop them', () => {
    const steps = { 1: ({ host, ...rest }: Record<string, unknown>) => ({ ...rest, address: host }) };
    assert.deepEqual(legacyNames(fields, steps, 2), ['host']);
  });

  it('embeds steps that run anywhere', () => {
    const source = migrationSource({ 1: (old) => ({ ...old, address: 'x' }) }, 2);
    assert.match(source, /^\{ 1: \(?old\)?\s*=>/);
  });

  it('refuses a step that needs something from outside itself', () => {
    const outside = 'x';
    assert.throws(() => migrationSource({ 1: (old) => ({ ...old, address: outside }) }, 2), /from version 1/);
  });
});

describe('inlined scripts', () => {
  it('cannot end their own element', () => {
    assert.equal(inline('"</script><!--"'), '"<\\/script><\\!--"');
  });
});

interface Definition {
  readonly category: string;
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** The scorecard's own parser; it is not exported, so its source is completed by an export. */
function scorecard(): { getNodeDefinitions(file: string): Readonly<Record<string, Definition>> } {
  const file = require.resolve('node-red-dev/src/libs/checknodes.js');
  const source = readFileSync(file, 'utf8');
  const { Module } = require('node:module') as typeof import('node:module');
  const loaded = new Module(file) as InstanceType<typeof Module> & {
    _compile(code: string, name: string): void;
  };
  loaded.filename = file;
  loaded.paths = require.resolve.paths('acorn') ?? [];
  loaded._compile(`${source}\nmodule.exports = { getNodeDefinitions };`, file);
  return loaded.exports as ReturnType<typeof scorecard>;
}

function flat(json: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (value: unknown, key: string): void => {
    if (typeof value === 'string') found.set(key, value);
    else for (const [name, inner] of Object.entries(value as object)) walk(inner, `${key}.${name}`);
  };
  walk(JSON.parse(json), '');
  return found;
}
