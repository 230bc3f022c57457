/** A Node-RED with the built package in an own user directory, for the browser tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Host {
  readonly url: string;
  /** What the runtime printed so far. */
  output(): string;
  stop(): Promise<void>;
}
export interface HostOptions {
  /** Folder of Node-RED's package. */
  readonly nodeRed: string;
  /** The Node binary that runs it. */
  readonly node: string;
  /** Folder of the package under test, with its package.json and dist. */
  readonly root: string;
  readonly flows: readonly unknown[];
}

export async function startHost({ nodeRed, node, root, flows }: HostOptions): Promise<Host> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-editor-'));
  const port = await freePort();
  writeFileSync(join(directory, 'flows.json'), JSON.stringify(flows));
  writeFileSync(join(directory, 'settings.js'), settings(root, port));
  const entry = join(nodeRed, 'red.js');
  const child = spawn(node, [entry, '-u', directory, '-s', join(directory, 'settings.js')], {
    cwd: directory,
    env: { ...process.env, HOME: directory },
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  await started(child, () => output);
  return {
    url: `http://127.0.0.1:${port}/`,
    output: () => output,
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function settings(root: string, port: number): string {
  const all = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: 'editor-test',
    nodesDir: [root],
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, codeEditor: { lib: 'monaco' }, palette: { editable: false } },
    externalModules: { autoInstall: false, palette: { allowInstall: false } },
  };
  return `module.exports = ${JSON.stringify(all, null, 2)};\n`;
}

function started(child: ChildProcess, output: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (output().includes('Started flows')) resolve();
    };
    child.stdout?.on('data', look);
    child.once('exit', (code) => reject(new Error(`Node-RED ended with ${String(code)}:\n${output()}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
