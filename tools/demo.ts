/** `npm start`: Node-RED with the factory example on simulators, in a user directory of its own. No network. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..');
const USER_DIR = join(ROOT, '.demo');
const FLOW = join(ROOT, 'examples', 'factory.json');
const FIRST_PORT = 1880;
const PORTS_TRIED = 50;

/** Everything that would reach out to the internet is off. */
function settings(port: number): string {
  const values = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    nodesDir: [ROOT],
    credentialSecret: 'holdfast demo',
    telemetry: { enabled: false, updateNotification: false },
    externalModules: { palette: { allowInstall: false, catalogues: [] } },
    editorTheme: { tours: false, page: { title: 'Holdfast demo' }, palette: { catalogues: [] } },
    logging: { console: { level: 'warn', metrics: false, audit: false } },
  };
  return `module.exports = ${JSON.stringify(values, null, 2)};\n`;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

async function freePort(): Promise<number> {
  const first = Number(process.env.PORT ?? FIRST_PORT);
  for (let port = first; port < first + PORTS_TRIED; port += 1) if (await isFree(port)) return port;
  throw new Error(`No free port between ${first} and ${first + PORTS_TRIED - 1}; set PORT to another one.`);
}

function greeting(port: number): string {
  return `
Holdfast is running.

  Editor   http://127.0.0.1:${port}/
  Health   http://127.0.0.1:${port}/holdfast/health
  Metrics  http://127.0.0.1:${port}/holdfast/metrics

What to look at:
  - "Factory line": a simulated boiler is polled over Modbus TCP, its readings are mapped, stored in SQLite and
    posted to an HTTP API that fails now and then. Watch the statuses and the Debug sidebar.
  - The HTTP node repeats what may be repeated; what it cannot deliver arrives at the Catch node with its reason.
  - Open a connection and read its Delivery tab: breaker, rate limit and queue belong to the remote system.

Your changes are kept in .demo/; "npm start -- --reset" begins anew. Ctrl+C ends it.
`;
}

/** The watch mode of the build starts the demo with HOLDFAST_BUILT set: it has just built. */
function build(): void {
  if (process.env.HOLDFAST_BUILT === '1') return;
  const script = join(ROOT, 'tools', 'build.ts');
  execFileSync(process.execPath, ['--require', 'tsx/cjs', script], { cwd: ROOT, stdio: 'inherit' });
}

async function main(): Promise<void> {
  build();
  if (process.argv.includes('--reset')) rmSync(USER_DIR, { recursive: true, force: true });
  const port = await freePort();
  mkdirSync(USER_DIR, { recursive: true });
  writeFileSync(join(USER_DIR, 'settings.js'), settings(port));
  const flows = join(USER_DIR, 'flows.json');
  if (!existsSync(flows)) copyFileSync(FLOW, flows);
  const red = join(dirname(require.resolve('node-red/package.json')), 'red.js');
  const child = spawn(process.execPath, [red, '-u', USER_DIR], { stdio: ['ignore', 'inherit', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 0));
  await answering(port, child);
  console.log(greeting(port));
}

/** Waits until the editor answers, or the runtime has ended. */
async function answering(port: number, child: { exitCode: number | null }): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/holdfast/health`).catch(() => undefined);
    if (answer) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
