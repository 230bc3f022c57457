import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { scaffold } from './new';

const LIBRARY = join(__dirname, '../lib');

describe('npm run new', () => {
  const files = scaffold('my-plc');
  const sources = [...files].filter(([path]) => path.endsWith('.ts'));

  it('makes a whole folder and its translation', () => {
    for (const file of ['connector', 'adapter', 'trigger', 'simulator', 'my-plc.test']) {
      assert.ok(files.has(`nodes/my-plc/${file}.ts`), file);
    }
    for (const base of ['my-plc', 'my-plc-connection', 'my-plc-trigger']) {
      assert.ok(files.has(`locales/de/${base}.json`), base);
    }
  });

  it('leaves no placeholder behind', () => {
    assert.deepEqual(
      [...files].filter(([path, text]) => /__name__/.test(path + text)).map(([path]) => path),
      [],
    );
  });

  it('writes JSON that parses and TypeScript without syntax errors', () => {
    for (const [path, text] of files) if (path.endsWith('.json')) JSON.parse(text);
    for (const [path, text] of sources) {
      const { diagnostics } = ts.transpileModule(text, { fileName: path, reportDiagnostics: true });
      assert.deepEqual(diagnostics, [], path);
    }
  });

  it('type-checks against the libraries of today', () => {
    const folder = join(__dirname, '../nodes/my-plc');
    const host = ts.createCompilerHost({});
    const read = host.getSourceFile.bind(host);
    const own = new Map(sources.map(([path, text]) => [join(__dirname, '..', path), text]));
    host.fileExists = (
      (old) => (file: string) =>
        own.has(file) || old(file)
    )(host.fileExists.bind(host));
    host.readFile = (
      (old) => (file: string) =>
        own.get(file) ?? old(file)
    )(host.readFile.bind(host));
    host.directoryExists = (directory) => directory === folder || ts.sys.directoryExists(directory);
    host.getSourceFile = (file, language) => {
      const text = own.get(file);
      return text === undefined ? read(file, language) : ts.createSourceFile(file, text, language);
    };
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(__dirname, '../tsconfig.json'), (file) => ts.sys.readFile(file)).config,
      ts.sys,
      join(__dirname, '..'),
    );
    const program = ts.createProgram([...own.keys()], { ...options, noEmit: true, incremental: false }, host);
    const found = [...own.keys()].flatMap((file) => {
      const source = program.getSourceFile(file);
      return source ? program.getSemanticDiagnostics(source) : [];
    });
    assert.deepEqual(
      found.map(
        ({ messageText, file }) =>
          `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      ),
      [],
    );
  }).timeout(60_000);

  it('refuses a name that is none, with an example', () => {
    for (const name of ['', 'My PLC', '../evil', 'a--b']) {
      assert.throws(() => scaffold(name), /such as my-plc/, name);
    }
  });

  it('uses only libraries that exist', () => {
    const floors = new Set(readdirSync(LIBRARY));
    const used = sources.flatMap(([, text]) =>
      [...text.matchAll(/'\.\.\/\.\.\/lib\/(\w+)/g)].map(([, floor]) => floor ?? ''),
    );
    assert.deepEqual(
      used.filter((floor) => !floors.has(floor)),
      [],
    );
  });
});
