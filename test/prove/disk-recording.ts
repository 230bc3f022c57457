/** Reads a recording of strace with all data: the calls on a folder's files, and between them the ledger's lines. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { DiskCall } from './disk-model';
import { LEDGER_FD, lineReader, type LedgerEvent } from './ledger';

export type Step = { readonly disk: DiskCall } | { readonly event: LedgerEvent };

/** SQLite writes with positions; a plain write is the ledger's, a pipe's or a log's. */
const CALLS = 'write,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat,renameat2,openat';

/** The longest write that is recorded whole. */
const LONGEST = 1024 * 1024;

/** strace's arguments for a recording that `readSteps` can read. */
export function recordingData(output: string): readonly string[] {
  return ['strace', '-f', '-qq', '-y', '-xx', '-s', String(LONGEST), '-o', output, '-e', `trace=${CALLS}`];
}

export function* readSteps(file: string, folder: string): Generator<Step> {
  const events: LedgerEvent[] = [];
  const ledger = lineReader((value) => events.push(value as LedgerEvent));
  const unfinished = new Map<string, string>();
  for (const line of linesOf(file)) {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/s.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(text);
    // A write counts from its beginning, a sync from its end.
    const begun = text.endsWith('<unfinished ...>') ? text.slice(0, -'<unfinished ...>'.length) : undefined;
    if (begun !== undefined && isSync(begun)) {
      unfinished.set(thread, begun);
      continue;
    }
    const whole = resumed ? `${unfinished.get(thread) ?? ''}${resumed[1] ?? ''}` : (begun ?? text);
    if (resumed && !unfinished.delete(thread)) continue;
    if (whole.startsWith(`write(${LEDGER_FD}<`)) ledger(dataOf(whole));
    else for (const disk of callsOf(whole)) if (touches(disk, folder)) yield { disk };
    for (const event of events.splice(0)) yield { event };
  }
}

function isSync(text: string): boolean {
  return /^f(data)?sync\(/.test(text);
}

function touches(call: DiskCall, folder: string): boolean {
  return call.path === folder || call.path.startsWith(`${folder}/`);
}

function callsOf(text: string): DiskCall[] {
  // A call that failed changed nothing; one whose end stands elsewhere is taken as done.
  if (/= -1 [A-Z]+/.test(text)) return [];
  const name = /^(\w+)\(/.exec(text)?.[1] ?? '';
  const path = unescape(/^\w+\(\d+<([^>]*)>/.exec(text)?.[1] ?? '');
  const strings = [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => unescape(hex));
  switch (name) {
    case 'pwrite64':
      return [{ call: 'write', path, at: Number(/, (\d+)\)?[^,]*$/.exec(text)?.[1]), data: dataOf(text) }];
    case 'ftruncate':
      return [{ call: 'truncate', path, size: Number(/, (\d+)/.exec(text)?.[1]) }];
    case 'fsync':
    case 'fdatasync':
      return [{ call: 'sync', path }];
    case 'unlink':
    case 'unlinkat':
      return [{ call: 'unlink', path: strings[0] ?? '' }];
    case 'rename':
    case 'renameat':
    case 'renameat2':
      return [{ call: 'rename', path: strings[0] ?? '', to: strings[1] ?? '' }];
    case 'openat':
      return openings(text, strings[0] ?? '');
    default:
      return [];
  }
}

function openings(text: string, path: string): DiskCall[] {
  const calls: DiskCall[] = [];
  if (text.includes('O_CREAT')) calls.push({ call: 'create', path });
  if (text.includes('O_TRUNC')) calls.push({ call: 'truncate', path, size: 0 });
  return calls;
}

function dataOf(text: string): Buffer {
  return Buffer.from((/"((?:\\x[0-9a-f]{2})*)"/.exec(text)?.[1] ?? '').replaceAll('\\x', ''), 'hex');
}

function unescape(text: string): string {
  return text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function* linesOf(file: string): Generator<string> {
  const descriptor = openSync(file, 'r');
  try {
    const chunk = Buffer.alloc(1 << 20);
    let rest = '';
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      const lines = (rest + chunk.toString('latin1', 0, size)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    closeSync(descriptor);
  }
}
