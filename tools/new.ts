/** `npm run new <name>`: a folder in nodes/ with a working system over a tiny line protocol, to be changed. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const TEMPLATES = join(__dirname, 'scaffold');
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** File name to content. */
export function scaffold(name: string): Map<string, string> {
  if (!NAME.test(name)) {
    throw new Error(
      `"${name}" is no name for a system; use lower-case words joined by hyphens, for example my-plc.`,
    );
  }
  const files = new Map<string, string>();
  for (const file of readdirSync(TEMPLATES)) {
    const target = file.replace(/\.txt$/, '').replace(/^test\.ts$/, `${name}.test.ts`);
    files.set(target, readFileSync(join(TEMPLATES, file), 'utf8').replaceAll('__name__', name));
  }
  return files;
}

function main(name: string | undefined): void {
  if (name === undefined) throw new Error('Say how the system is called: npm run new my-plc.');
  const files = scaffold(name);
  const folder = join(ROOT, 'nodes', name);
  if (existsSync(folder)) throw new Error(`nodes/${name} exists already.`);
  mkdirSync(folder);
  for (const [file, text] of files) writeFileSync(join(folder, file), text);
  console.log(
    `nodes/${name} holds ${files.size} files. Next: npm run build, then change them to speak your protocol.`,
  );
}

if (require.main === module) {
  try {
    main(process.argv[2]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
