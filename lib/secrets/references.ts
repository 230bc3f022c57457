import { Failure } from '../core';
import type { Field, Fields } from '../spec';
import { readProblem, type ReadFile } from './read-file';

/** Secrets are short; anything larger is a wrong path. */
export const MAX_REFERENCE_BYTES = 65_536;
const VARIABLE = /\$?\$\{([A-Za-z_][A-Za-z0-9_]{0,127})\}/g;
const FILE = /^file:(?:\/\/)?(\/.+)$/;

export interface ReferenceDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: ReadFile;
  /** The declaration of the values: gives labels, and keeps code (SQL, templates) from being resolved. */
  readonly fields?: Fields;
}

/**
 * Replaces `${NAME}` (whole or within a text) by environment variables, and a text `file:/absolute/path` by the
 * content of that file without its trailing line break. `$${NAME}` stands for the text `${NAME}`. Lists and
 * table cells are resolved too. What was resolved is not resolved again.
 *
 * @throws Failure `config` AUTH_UNAVAILABLE that names the label and the reference, never the content.
 */
export async function resolveReferences<T extends object>(values: T, deps: ReferenceDeps): Promise<T> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values as Readonly<Record<string, unknown>>)) {
    const field = deps.fields && Object.hasOwn(deps.fields, name) ? deps.fields[name] : undefined;
    const resolved = isLiteral(field) ? value : await resolveValue(value, field?.label ?? name, deps);
    Object.defineProperty(out, name, {
      value: resolved,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return out as T;
}

/** Typed inputs have their own way to variables; code may hold `${…}` of its own language. */
function isLiteral(field: Field | undefined): boolean {
  if (!field) return false;
  if (field.kind === 'typed' || field.kind === 'ref' || field.kind === 'choice') return true;
  return (
    field.kind === 'text' && !!field.multiline && field.multiline !== 'text' && field.multiline !== 'pem'
  );
}

async function resolveValue(value: unknown, label: string, deps: ReferenceDeps): Promise<unknown> {
  if (typeof value === 'string') return resolveText(value, label, deps);
  if (Array.isArray(value)) return Promise.all(value.map((item) => resolveRow(item, label, deps)));
  return value;
}

async function resolveRow(row: unknown, label: string, deps: ReferenceDeps): Promise<unknown> {
  if (typeof row === 'string') return resolveText(row, label, deps);
  if (typeof row !== 'object' || row === null) return row;
  const cells = Object.entries(row).map(async ([name, cell]): Promise<[string, unknown]> => {
    return [name, typeof cell === 'string' ? await resolveText(cell, label, deps) : cell];
  });
  return Object.fromEntries(await Promise.all(cells));
}

async function resolveText(text: string, label: string, deps: ReferenceDeps): Promise<string> {
  const path = FILE.exec(text.trim())?.[1];
  if (path !== undefined) return readReference(path, label, deps.readFile);
  if (!text.includes('${')) return text;
  return text.replace(VARIABLE, (whole, name: string) => {
    if (whole.startsWith('$$')) return whole.slice(1);
    const value = Object.hasOwn(deps.env, name) ? deps.env[name] : undefined;
    if (value !== undefined) return value;
    throw unavailable(label, `\${${name}}`, 'this environment variable is not set for Node-RED');
  });
}

async function readReference(path: string, label: string, readFile: ReadFile): Promise<string> {
  const reference = `file:${path}`;
  let content: Buffer;
  try {
    content = await readFile(path, MAX_REFERENCE_BYTES);
  } catch (error) {
    throw unavailable(label, reference, readProblem(error));
  }
  if (content.length > MAX_REFERENCE_BYTES) {
    throw unavailable(label, reference, `the file is larger than ${MAX_REFERENCE_BYTES / 1024} KiB`);
  }
  return content
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/\r?\n$/, '');
}

function unavailable(label: string, reference: string, why: string): Failure {
  const message = `"${label}" refers to ${reference.slice(0, 300)}, but ${why}.`;
  const details = { field: label, reference: reference.slice(0, 300) };
  return new Failure('config', 'AUTH_UNAVAILABLE', message, { reached: false, details });
}
