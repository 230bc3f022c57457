/** Watch mode: each change rebuilds in a fresh process, then the runtime starts anew and the editor reloads. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, watch as watchFiles } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = ['lib', 'nodes', 'locales', 'icons'];
/** Editors write a file in several steps. */
const QUIET_MS = 150;

export function watch(root: string): void {
  const runtime = new Runtime(root);
  let timer: NodeJS.Timeout | undefined;
  let building = false;
  let again = false;
  const rebuild = async (): Promise<void> => {
    if (building) {
      again = true;
      return;
    }
    building = true;
    const fine = await run(root);
    building = false;
    if (again) {
      again = false;
      await rebuild();
    } else if (fine) await runtime.restart();
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void rebuild(), QUIET_MS);
  };
  for (const folder of FOLDERS) {
    watchFiles(join(root, folder), { recursive: true }, (_, name) => {
      if (name !== null && !name.endsWith('.test.ts')) soon();
    });
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void runtime.stop().then(() => process.exit(0)));
  }
  void rebuild();
}

function run(root: string): Promise<boolean> {
  const tsx = require.resolve('tsx/cli');
  const child = spawn(process.execPath, [tsx, join(root, 'tools/build.ts'), '--watched'], {
    cwd: root,
    stdio: 'inherit',
  });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 0)));
}

/**
 * What `npm start` runs, as a child of ours: a shell or npm in between would end alone, and the old runtime
 * would keep its port.
 */
class Runtime {
  readonly #root: string;
  #child: ChildProcess | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  async restart(): Promise<void> {
    await this.stop();
    const script = join(this.#root, 'tools/demo.ts');
    if (!existsSync(script)) return;
    const env = { ...process.env, HOLDFAST_BUILT: '1' };
    this.#child = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), script], {
      cwd: this.#root,
      stdio: 'inherit',
      env,
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
}
