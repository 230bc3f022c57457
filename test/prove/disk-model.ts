/**
 * A disk that loses its power, rebuilt from a recording of a real run: what was not synced may be there or not, also
 * in parts of 512 bytes; names of files that were made or removed may be lost until their folder was synced.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type DiskCall =
  | { readonly call: 'write'; readonly path: string; readonly at: number; readonly data: Buffer }
  | { readonly call: 'truncate'; readonly path: string; readonly size: number }
  | { readonly call: 'sync'; readonly path: string }
  | { readonly call: 'create'; readonly path: string }
  | { readonly call: 'unlink'; readonly path: string }
  | { readonly call: 'rename'; readonly path: string; readonly to: string };

type Change = Extract<DiskCall, { call: 'write' | 'truncate' }>;
type Naming = Extract<DiskCall, { call: 'create' | 'unlink' | 'rename' }>;

/** A file apart from its names. */
interface Inode {
  synced: Buffer;
  readonly pending: Change[];
}

const SECTOR = 512;

export class DiskModel {
  /** As the running process sees them. */
  readonly #live = new Map<string, Inode>();
  /** As the folder was last synced. */
  #names = new Map<string, Inode>();
  readonly #unsyncedNames: { readonly naming: Naming; readonly inode: Inode | undefined }[] = [];

  /** Begins with the files that the folder holds, as if they had been synced. */
  constructor(readonly folder: string) {
    for (const name of readdirSync(folder))
      this.#live.set(join(folder, name), { synced: readFileSync(join(folder, name)), pending: [] });
    this.#syncNames();
  }

  apply(call: DiskCall): void {
    switch (call.call) {
      case 'create':
        if (!this.#live.has(call.path)) this.#name(call, { synced: Buffer.alloc(0), pending: [] });
        return;
      case 'unlink':
      case 'rename':
        return this.#name(call, this.#live.get(call.path));
      case 'sync':
        return call.path === this.folder ? this.#syncNames() : this.#sync(call.path);
      case 'write':
      case 'truncate':
        this.#live.get(call.path)?.pending.push(call);
    }
  }

  /** Writes into `target` what a power cut at this moment may leave. */
  materialise(target: string, random: () => number): void {
    mkdirSync(target, { recursive: true });
    const names = new Map(this.#names);
    // A journalling file system keeps the order of names: a part of them from the beginning survives.
    const surviving = Math.floor(random() * (this.#unsyncedNames.length + 1));
    for (const { naming, inode } of this.#unsyncedNames.slice(0, surviving)) rename(names, naming, inode);
    // One cut loses all, one keeps all, most keep some.
    const keep = [0, 1, 0.5, 0.5, 0.9][Math.floor(random() * 5)] ?? 0.5;
    for (const [path, inode] of names)
      writeFileSync(join(target, basename(path)), survivorOf(inode, keep, random));
  }

  #name(naming: Naming, inode: Inode | undefined): void {
    rename(this.#live, naming, inode);
    this.#unsyncedNames.push({ naming, inode });
  }

  #syncNames(): void {
    this.#names = new Map(this.#live);
    this.#unsyncedNames.length = 0;
  }

  #sync(path: string): void {
    const inode = this.#live.get(path);
    if (!inode) return;
    for (const change of inode.pending) inode.synced = changed(inode.synced, change);
    inode.pending.length = 0;
  }
}

function rename(names: Map<string, Inode>, naming: Naming, inode: Inode | undefined): void {
  if (naming.call === 'create' && inode) names.set(naming.path, inode);
  else names.delete(naming.path);
  if (naming.call === 'rename' && inode) names.set(naming.to, inode);
}

function survivorOf({ synced, pending }: Inode, keep: number, random: () => number): Buffer {
  let content = synced;
  for (const change of pending) {
    if (random() >= keep) continue;
    content = changed(content, change.call === 'write' && random() < 0.3 ? torn(change, random) : change);
  }
  return content;
}

function torn(change: Extract<Change, { call: 'write' }>, random: () => number): Change {
  const sectors = Math.ceil(change.data.length / SECTOR);
  return { ...change, data: change.data.subarray(0, SECTOR * Math.floor(random() * sectors)) };
}

function changed(content: Buffer, change: Change): Buffer {
  const end = change.call === 'write' ? change.at + change.data.length : change.size;
  const size = change.call === 'write' ? Math.max(end, content.length) : end;
  const next = Buffer.alloc(size);
  content.copy(next, 0, 0, size);
  if (change.call === 'write') change.data.copy(next, change.at);
  return next;
}
