/** Node-RED as a process of its own: how long it takes to start the flows, and how much memory it then holds. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface StartUp {
  readonly ms: number;
  /** Resident set one second after the flows started. */
  readonly rssMiB: number;
  /** Node sets as Node-RED reports them: an `err` means that one did not load. */
  readonly sets: readonly { readonly module: string; readonly id: string; readonly err?: unknown }[];
}

const LIMIT_MS = 60_000;
/** Lets lazy work of the start end and the heap settle. */
const SETTLE_MS = 1000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts Node-RED with an empty flow in `userDir`, measures, and ends it. */
export async function startUp(root: string, userDir: string): Promise<StartUp> {
  writeFileSync(join(userDir, 'flows.json'), '[]');
  const port = String(await freePort());
  const settings = ['credentialSecret=bench', 'uiHost=127.0.0.1'].flatMap((setting) => ['-D', setting]);
  const args = [
    join(root, 'node_modules/node-red/red.js'),
    '-u',
    userDir,
    '-p',
    port,
    '--no-telemetry',
    ...settings,
  ];
  const start = performance.now();
  const child = spawn(process.execPath, [...args, 'flows.json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  try {
    const ms = await new Promise<number>((resolve, reject) => {
      let output = '';
      const read = (chunk: Buffer): void => {
        output += String(chunk);
        if (output.includes('Started flows')) resolve(performance.now() - start);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => reject(new Error(`Node-RED did not start its flows:\n${output}`)));
    });
    await pause(SETTLE_MS);
    const rssMiB = residentMiB(child.pid ?? 0);
    const reply = await fetch(`http://127.0.0.1:${port}/nodes`, { headers: { accept: 'application/json' } });
    return { ms, rssMiB, sets: (await reply.json()) as StartUp['sets'] };
  } finally {
    clearTimeout(limit);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
