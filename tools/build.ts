/**
 * The generator: `npm run build` writes dist/ and the committed generated files; `-- --check` only says
 * whether committed ones are stale; `-- --watch` rebuilds on change and reloads a running editor.
 */
import { join } from 'node:path';
import { compile } from './build/compile';
import { discover } from './build/discover';
import { generate } from './build/generate';
import { stale, write } from './build/output';
import { watch } from './build/watch';

const ROOT = join(__dirname, '..');
const COMMITTED = ['docs/reference', 'examples/nodes'];

function build(options: { check: boolean; watch: boolean }): boolean {
  const started = performance.now();
  const errors = compile(ROOT);
  if (errors) console.error(errors);
  const { components, broken } = discover(ROOT);
  for (const line of broken) console.error(line);
  const { dist, committed, drifts } = generate(ROOT, components, options.watch);
  write(ROOT, dist, ['dist/red']);

  let fine = errors === '' && broken.length === 0;
  if (options.check) {
    const old = stale(ROOT, committed, COMMITTED);
    for (const path of old) console.error(`${path} is stale; run "npm run build" and commit the result.`);
    fine &&= old.length === 0;
  } else {
    write(ROOT, committed, COMMITTED);
  }
  for (const { file, missing, obsolete } of drifts) {
    if (missing.length > 0) console.warn(`${file}: ${missing.length} texts are missing.`);
    if (obsolete.length > 0) console.error(`${file}: English no longer has ${obsolete.join(', ')}.`);
    fine &&= obsolete.length === 0;
  }
  const took = Math.round(performance.now() - started);
  console.log(`${components.length} components, ${dist.size + committed.size} files, ${took} ms.`);
  return fine;
}

const flags = new Set(process.argv.slice(2));
if (flags.has('--watch')) watch(ROOT);
else if (!build({ check: flags.has('--check'), watch: flags.has('--watched') })) process.exitCode = 1;
