/** Browser code: esbuild turns lib/editor and each system's editor.ts into inlined scripts. */
import { existsSync } from 'node:fs';
import { Module } from 'node:module';
import { join } from 'node:path';
import { buildSync, type BuildOptions } from 'esbuild';

const TARGET = 'es2022';

/** The plugin: one script that leaves the global `holdfast`. Empty while lib/editor/index.ts is missing. */
export function pluginBundle(root: string, watch: boolean): string {
  const entry = join(root, 'lib/editor/index.ts');
  if (!existsSync(entry)) return '';
  return bundle({
    entryPoints: [entry],
    globalName: 'holdfast',
    format: 'iife',
    define: { HOLDFAST_WATCH: String(watch) },
  });
}

/** The extension of one folder as a script that registers itself for `type`; empty without an editor.ts. */
export function extensionBundle(root: string, dir: string, types: readonly string[]): string {
  const file = join(root, 'nodes', dir, 'editor.ts');
  if (!existsSync(file)) return '';
  return bundle({
    stdin: {
      contents: `import { extend } from './editor';\nholdfast.extension(${JSON.stringify(types)}, extend);`,
      resolveDir: join(root, 'nodes', dir),
      loader: 'ts',
    },
    format: 'iife',
  });
}

/** The English texts that an editor.ts exports as `texts`. It must not touch the DOM while it loads. */
export function editorTexts(root: string, dir: string): Readonly<Record<string, string>> | undefined {
  const file = join(root, 'nodes', dir, 'editor.ts');
  if (!existsSync(file)) return undefined;
  const code = bundle({ entryPoints: [file], format: 'cjs' });
  const loaded = new Module(file) as Module & { _compile(code: string, name: string): void };
  loaded._compile(code, file);
  return (loaded.exports as { texts?: Readonly<Record<string, string>> }).texts ?? {};
}

function bundle(options: BuildOptions): string {
  const result = buildSync({
    bundle: true,
    write: false,
    target: TARGET,
    charset: 'utf8',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'error',
    ...options,
  });
  return result.outputFiles?.[0]?.text ?? '';
}

/** Code that may stand between script tags. */
export function inline(code: string): string {
  return code.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--');
}
