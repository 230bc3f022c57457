/** Translations: locales/<lang>/<base>.json mirrors the generated English catalogue. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Texts } from './catalogue';

export interface Drift {
  readonly file: string;
  /** Keys without a translation; the editor shows English. */
  readonly missing: readonly string[];
  /** Keys that English no longer has. */
  readonly obsolete: readonly string[];
}

export function languages(root: string): string[] {
  const folder = join(root, 'locales');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export function translation(root: string, language: string, base: string): Texts {
  const file = join(root, 'locales', language, `${base}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Texts) : {};
}

export function drift(file: string, english: Texts, translated: Texts): Drift {
  const wanted = new Set(keysOf(english));
  const present = new Set(keysOf(translated));
  return {
    file,
    missing: [...wanted].filter((key) => !present.has(key)),
    obsolete: [...present].filter((key) => !wanted.has(key)),
  };
}

/** The translation with English where it has no text, so that help has no holes. */
export function complete(english: Texts, translated: Texts): Texts {
  const entries = Object.entries(english).map(([key, text]): [string, string | Texts] => {
    const other = Object.hasOwn(translated, key) ? translated[key] : undefined;
    if (typeof text === 'string') return [key, typeof other === 'string' && other !== '' ? other : text];
    return [key, complete(text, typeof other === 'object' ? other : {})];
  });
  return Object.fromEntries(entries);
}

/** Files of a language that belong to no component. */
export function strayFiles(root: string, language: string, bases: readonly string[]): string[] {
  const known = new Set(bases.map((base) => `${base}.json`));
  return readdirSync(join(root, 'locales', language)).filter((name) => !known.has(name));
}

export function keysOf(texts: Texts, prefix = ''): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string' ? [prefix + key] : keysOf(value, `${prefix}${key}.`),
  );
}
