/** The official package scorecard (node-red-dev), with its two look-ups on the internet answered from npm. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from './process';

export interface Check {
  readonly test: boolean;
}
export type Scorecard = Readonly<Record<string, Check>>;

/** Judges the unpacked package in `folder`; `scratch` takes its files. */
export async function scorecard(folder: string, scratch: string): Promise<Scorecard> {
  const fields = ['view', 'node-red', 'dist-tags', 'version', 'engines', '--json'];
  const { version, engines, ...rest } = JSON.parse(await run('npm', fields, scratch)) as {
    version: string;
    engines: object;
    'dist-tags': object;
  };
  const release = { 'dist-tags': rest['dist-tags'], versions: { [version]: { engines } } };
  const preload = join(scratch, 'preload.cjs');
  writeFileSync(preload, preloadScript(release));
  const card = join(scratch, 'card.json');
  const bin = join(ROOT, 'node_modules', 'node-red-dev', 'bin', 'run');
  await run(process.execPath, ['-r', preload, bin, 'validate', '-p', folder, '-o', card], scratch);
  return JSON.parse(readFileSync(card, 'utf8')) as Scorecard;
}

/** Loaded before node-red-dev. An empty catalogue holds no package of the same name. */
function preloadScript(release: object): string {
  return `const Module = require('node:module');
const load = Module._load;
const catalogue = { modules: [] };
const get = async (url) => ({ data: String(url).includes('catalogue') ? catalogue : ${JSON.stringify(release)} });
Module._load = function (name, ...rest) {
  const loaded = load.call(this, name, ...rest);
  if (name === 'axios') loaded.get = get;
  return loaded;
};
`;
}
