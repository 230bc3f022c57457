/** Everything that is generated, as one map of files. Pure apart from reading the tree. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { catalogueOf, sharedCatalogue, type Texts } from './catalogue';
import { helpPage } from './help';
import { PLUGIN, type Component, type Output } from './model';
import { nodePage, pluginPage } from './page';
import { indexPage, referencePage } from './reference';
import { manifest, nodeScript, pluginScript } from './runtime';
import { complete, drift, languages, strayFiles, translation, type Drift } from './translations';

export interface Generated {
  /** Git-ignored, below dist/red. */
  readonly dist: Output;
  /** Committed: examples, reference, package.json. Stale ones fail `--check`. */
  readonly committed: Output;
  readonly drifts: readonly Drift[];
}

export function generate(root: string, components: readonly Component[], watch: boolean): Generated {
  const dist: Output = new Map();
  const committed: Output = new Map();
  const drifts: Drift[] = [];
  const english = sharedCatalogue(components);
  const packageText = readFileSync(join(root, 'package.json'), 'utf8');
  const { version } = JSON.parse(packageText) as { version: string };

  dist.set(`dist/red/${PLUGIN}.js`, pluginScript(version));
  dist.set(`dist/red/${PLUGIN}.html`, pluginPage(root, watch));
  const stamp = watch ? { build: new Date().toISOString() } : {};
  dist.set(`dist/red/locales/en-US/${PLUGIN}.json`, json({ ...english, ...stamp }));
  const shared = new Map<string, Texts>();
  for (const language of languages(root)) {
    const texts = translation(root, language, PLUGIN);
    drifts.push(drift(`locales/${language}/${PLUGIN}.json`, english, texts));
    shared.set(language, complete(english, texts));
    dist.set(`dist/red/locales/${language}/${PLUGIN}.json`, json(texts));
    const bases = [PLUGIN, ...components.map(({ base }) => base)];
    for (const file of strayFiles(root, language, bases)) {
      drifts.push({ file: `locales/${language}/${file}`, missing: [], obsolete: ['(the whole file)'] });
    }
  }

  for (const component of components) {
    const { base } = component;
    const own = catalogueOf(component, english);
    dist.set(`dist/red/${base}.js`, nodeScript(component));
    dist.set(`dist/red/${base}.html`, nodePage(root, component, english));
    dist.set(`dist/red/locales/en-US/${base}.json`, json(own));
    const page = helpPage(component, { own, shared: english, english });
    dist.set(`dist/red/locales/en-US/${base}.html`, page);
    for (const language of languages(root)) {
      const texts = translation(root, language, base);
      drifts.push(drift(`locales/${language}/${base}.json`, own, texts));
      dist.set(`dist/red/locales/${language}/${base}.json`, json(texts));
      const pair = { own: complete(own, texts), shared: shared.get(language) ?? english, english };
      dist.set(`dist/red/locales/${language}/${base}.html`, helpPage(component, pair));
    }
    committed.set(`docs/reference/${base}.md`, referencePage(component, own, english));
  }
  icons(root, components, dist);
  examples(root, components, committed);
  committed.set('docs/reference/README.md', indexPage(components));
  committed.set('package.json', manifest(packageText, components));
  return { dist, committed, drifts };
}

function icons(root: string, components: readonly Component[], dist: Output): void {
  const folder = join(root, 'icons');
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    dist.set(`dist/red/icons/${name}`, readFileSync(join(folder, name), 'utf8'));
  }
  for (const { dir, icon } of components) {
    const own = join(root, 'nodes', dir, 'icon.svg');
    if (existsSync(own)) dist.set(`dist/red/icons/${dir}.svg`, readFileSync(own, 'utf8'));
    if (!dist.has(`dist/red/icons/${icon}`)) throw new Error(`nodes/${dir}: there is no icon "${icon}".`);
  }
}

/** Each folder's flow becomes the example of its first palette node; Node-RED shows examples by file name. */
function examples(root: string, components: readonly Component[], committed: Output): void {
  const dirs = new Set(components.map(({ dir }) => dir));
  for (const dir of dirs) {
    const file = join(root, 'nodes', dir, 'example.json');
    if (!existsSync(file)) continue;
    const flow = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    committed.set(`examples/nodes/${dir}.json`, json(flow));
  }
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + '\n';
}
