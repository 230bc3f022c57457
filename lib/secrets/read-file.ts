import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Reads at most `maxBytes + 1` bytes, so that the caller sees that a file is larger. Rejects like node:fs. */
export type ReadFile = (path: string, maxBytes: number) => Promise<Buffer>;

/** Without O_NONBLOCK (unknown to Windows) opening a pipe waits for a writer, and holds a thread of Node's pool. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Reads regular files only: a device or a pipe could block or never end. */
export const nodeReadFile: ReadFile = async (path, maxBytes) => {
  const file = await open(path, FLAGS);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw Object.assign(new Error('Not a regular file.'), { code: 'ENOTFILE' });
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EACCES: 'Node-RED may not read the file',
  EPERM: 'Node-RED may not read the file',
  EISDIR: 'it is a folder',
  ENOTFILE: 'it is not a regular file',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'the path has too many symbolic links',
};

/** Why a file could not be read, as a part of a sentence. Never holds content. */
export function readProblem(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return (
    REASONS[code] ?? (/^[A-Z0-9_]{2,30}$/.test(code) ? `reading it fails with ${code}` : 'reading it fails')
  );
}
