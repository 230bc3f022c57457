/** `npm run new <name>`: a folder in nodes/ with a working system over a tiny line protocol, to be changed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { filesBelow } from './build/output';

const ROOT = join(__dirname, '..');
const TEMPLATES = 'tools/scaffold';
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** Files below scaffold/de are the first translation of each component. */
const TRANSLATIONS: Readonly<Record<string, string>> = {
  'connection.json': '-connection',
  'adapter.json': '',
  'trigger.json': '-trigger',
};

/** Path below the project root to content. */
export function scaffold(name: string): Map<string, string> {
  if (!NAME.test(name)) {
    throw new Error(
      `"${name}" is no name for a system; use lower-case words joined by hyphens, such as my-plc.`,
    );
  }
  const files = new Map<string, string>();
  for (const path of filesBelow(ROOT, TEMPLATES)) {
    const text = readFileSync(join(ROOT, path), 'utf8').replaceAll('__name__', name);
    files.set(targetOf(path, name), text);
  }
  return files;
}

function targetOf(path: string, name: string): string {
  const file = basename(path, '.txt');
  const folder = dirname(path).slice(TEMPLATES.length + 1);
  if (folder !== '') return `locales/${folder}/${name}${TRANSLATIONS[file] ?? ''}.json`;
  return `nodes/${name}/${file === 'test.ts' ? `${name}.test.ts` : file}`;
}

function main(name: string | undefined): void {
  if (name === undefined) throw new Error('Say how the system is called: npm run new my-plc.');
  const files = scaffold(name);
  if (existsSync(join(ROOT, 'nodes', name))) throw new Error(`nodes/${name} exists already.`);
  for (const [path, text] of files) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
    console.log(path);
  }
  console.log('Next: npm run build, npm test, then change these files to speak your protocol.');
}

if (require.main === module) {
  try {
    main(process.argv[2]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
