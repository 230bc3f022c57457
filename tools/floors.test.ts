/** Who may import whom, read from the imports themselves. DESIGN.md calls these the floors. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { filesBelow } from './build/output';

const ROOT = join(__dirname, '..');

/** Folders below lib that a folder may import besides itself. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  core: [],
  spec: ['core'],
  policy: ['core', 'spec'],
  queue: ['core', 'spec'],
  observe: ['core', 'spec'],
  secrets: ['core', 'spec'],
  roles: ['core', 'spec', 'policy', 'queue', 'observe', 'secrets'],
  red: ['core', 'spec', 'policy', 'queue', 'observe', 'secrets', 'roles'],
  editor: ['core', 'spec'],
  headless: ['core', 'spec', 'policy', 'queue', 'observe', 'secrets', 'roles', 'red'],
};

interface Import {
  readonly from: string;
  /** Path below the root without extension, or a package name. */
  readonly to: string;
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

/** Imports of one file: static, dynamic, and by require. */
function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, file), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const found: Import[] = [];
  const add = (target: string, typeOnly: boolean, lazy: boolean): void => {
    const to = target.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), target)) : target;
    found.push({ from: file, to: to.replace(/\.js$/, ''), typeOnly, lazy });
  };
  for (const [, type, names, target] of source.matchAll(
    /^(?:import|export)\s+(type\s+)?((?:[\w*\s{},]|\btype\b)*?)\s*(?:from\s+)?'([^']+)';/gm,
  )) {
    const onlyTypes = /^\{(\s*type\s+\w+(\s+as\s+\w+)?\s*,?)+\s*\}$/.test((names ?? '').trim());
    add(target ?? '', type !== undefined || onlyTypes, false);
  }
  for (const [, target] of source.matchAll(/(?:import|require)\(\s*'([^']+)'\s*,?\s*\)/g))
    add(target ?? '', false, true);
  return found;
}

const all = ['lib', 'nodes']
  .flatMap((folder) => filesBelow(ROOT, folder))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .flatMap(importsOf);

function show({ from, to }: Import): string {
  return `${from} imports ${to}`;
}

describe('floors', () => {
  it('reads the imports of every kind', () => {
    const targets = importsOf('lib/red/register.ts').map(({ to }) => to);
    assert.ok(targets.includes('lib/roles/declare'));
    assert.ok(targets.includes('lib/red/bind'));
    assert.ok(all.length > 100);
  });

  it('are not broken in lib', () => {
    const broken = all.filter(({ from, to }) => {
      const [top, folder = ''] = from.split('/');
      // lib/index.ts is what another package imports: it only collects.
      if (top !== 'lib' || from === 'lib/index.ts') return false;
      if (to.startsWith('nodes/') || to.startsWith('test/') || to.startsWith('tools/')) return true;
      const target = to.split('/')[1] ?? '';
      return to.startsWith('lib/') && target !== folder && !(MAY[folder] ?? []).includes(target);
    });
    assert.deepEqual(broken.map(show), []);
  });

  it('keep Node-RED out of everything but lib/red and lib/headless', () => {
    const broken = all.filter(
      ({ from, to }) => /^(node-red|@node-red)(\/|$)/.test(to) && !/^lib\/(red|headless)\//.test(from),
    );
    assert.deepEqual(broken.map(show), []);
  });

  it('keep Node itself out of core, spec and editor', () => {
    const broken = all.filter(
      ({ from, to }) => to.startsWith('node:') && /^lib\/(core|spec|editor)\//.test(from),
    );
    assert.deepEqual(broken.map(show), []);
  });

  it('are not broken in nodes', () => {
    const broken = all.filter(({ from, to, typeOnly }) => {
      if (!from.startsWith('nodes/') || from.endsWith('/contract.ts')) return false;
      const own = from.split('/')[1] ?? '';
      if (to.startsWith('test/') || to.startsWith('tools/')) return true;
      if (to.startsWith('lib/')) {
        const floor = to.split('/')[1] ?? '';
        const allowed = from.endsWith('/editor.ts')
          ? ['roles', 'spec', 'core', 'editor']
          : ['roles', 'spec', 'core', 'queue'];
        // The declarations' own contract names these types.
        return !allowed.includes(floor) && !(typeOnly && /^lib\/(observe|secrets)\/types$/.test(to));
      }
      return (
        to.startsWith('nodes/') && !to.startsWith(`nodes/${own}/`) && !/^nodes\/[^/]+\/connector$/.test(to)
      );
    });
    assert.deepEqual(broken.map(show), []);
  });

  it('keep simulators apart from their connector and its codec', () => {
    const own = /^nodes\/[^/]+\/simulator[^/]*$/;
    const broken = all.filter(
      ({ from, to, typeOnly }) =>
        /^nodes\/[^/]+\/simulator/.test(from) &&
        ((to.startsWith('nodes/') && !own.test(to)) || (to.startsWith('lib/') && !isTypes(to, typeOnly))),
    );
    assert.deepEqual(broken.map(show), []);
  });

  it('load client libraries inside open, never with the module', () => {
    const broken = all.filter(
      ({ from, to, typeOnly, lazy }) =>
        from.startsWith('nodes/') &&
        !/\/(simulator[^/]*|contract|editor)\.ts$/.test(from) &&
        !/^(lib|nodes|node:|test)/.test(to) &&
        !typeOnly &&
        !lazy &&
        reachedAtLoad(from),
    );
    assert.deepEqual(broken.map(show), []);
  });
});

/** A simulator may use the types of the contract it fulfils, and core's values. */
function isTypes(to: string, typeOnly: boolean): boolean {
  return typeOnly || to === 'lib/core' || to.startsWith('lib/core/');
}

/** Files that a declaration pulls in when Node-RED loads its node. */
function reachedAtLoad(file: string): boolean {
  return loadGraph().has(file);
}

let graph: Set<string> | undefined;
function loadGraph(): Set<string> {
  if (graph) return graph;
  const roots = all
    .map(({ from }) => from)
    .filter((from) => /^nodes\/[^/]+\/(connector|adapter|trigger|mapper|monitor)\.ts$/.test(from));
  const seen = new Set(roots);
  for (const file of seen) {
    for (const { from, to, typeOnly, lazy } of all) {
      if (from !== file || typeOnly || lazy) continue;
      const next = [`${to}.ts`, `${to}/index.ts`].find((one) => existsSync(join(ROOT, one)));
      if (next?.startsWith('nodes/')) seen.add(next);
    }
  }
  graph = seen;
  return seen;
}
