/** The English catalogue of a component, and of everything that several components share. */
import { CODES } from '../../lib/core';
import { UI_TEXTS } from '../../lib/editor/texts';
import { PROBLEM_TEXTS, type Field, type Fields } from '../../lib/spec';
import { HELP_TEXTS } from './help-texts';
import { SHARED, isOwn, type Component } from './model';

/** A tree of texts, as Node-RED's i18next reads it. */
export interface Texts {
  readonly [key: string]: string | Texts;
}

export function catalogueOf(component: Component, shared: Texts): Texts {
  const { declaration, fields } = component;
  const own = Object.entries(fields).filter(([name, field]) => !isShared(component, name, field, shared));
  return {
    label: declaration.label,
    summary: declaration.summary,
    ...(declaration.details ? { details: declaration.details } : {}),
    fields: Object.fromEntries(own.map(([name, field]) => [name, fieldTexts(field)])),
    ...outputTexts(component),
    ...(declaration.codes ? { codes: { ...declaration.codes } } : {}),
    ...(component.editorTexts ? { editor: nest(component.editorTexts) } : {}),
  };
}

/** Texts of the plugin: the user interface, problems, common codes and the fields that the framework adds. */
export function sharedCatalogue(components: readonly Component[]): Texts {
  const fields: Record<string, Texts> = {};
  for (const component of components) {
    for (const [name, field] of Object.entries(component.fields)) {
      if (isOwn(component, name)) continue;
      const texts = fieldTexts(field);
      // Of several variants (a connector offers some kinds of credentials) the fullest is the shared one.
      if (JSON.stringify(texts).length > JSON.stringify(fields[name] ?? '').length) fields[name] = texts;
    }
  }
  return { ui: UI_TEXTS, problems: PROBLEM_TEXTS, help: HELP_TEXTS, codes: CODES, fields };
}

/** Whether the texts of a field stand in the shared catalogue, word for word. */
export function isShared(component: Component, name: string, field: Field, shared: Texts): boolean {
  if (isOwn(component, name)) return false;
  return JSON.stringify(lookUp(shared, `fields.${name}`)) === JSON.stringify(fieldTexts(field));
}

/** Where the editor finds the texts of a field: with the plugin's namespace when they are shared. */
export function fieldKey(component: Component, name: string, field: Field, shared: Texts): string {
  return isShared(component, name, field, shared) ? `${SHARED}:fields.${name}` : `fields.${name}`;
}

/** i18next splits keys at dots and colons, so a value such as "TLSv1.2" needs another key. */
export function optionKey(value: string): string {
  return value.replace(/[^A-Za-z0-9-]/g, '-') || 'empty';
}

export function lookUp(texts: Texts, key: string): string | Texts | undefined {
  let at: string | Texts | undefined = texts;
  for (const part of key.split('.')) {
    at = typeof at === 'object' && Object.hasOwn(at, part) ? at[part] : undefined;
  }
  return at;
}

function fieldTexts(field: Field): Texts {
  return {
    label: field.label,
    help: field.help,
    ...(field.kind === 'text' && field.placeholder ? { placeholder: field.placeholder } : {}),
    ...(field.kind === 'text' && field.pattern ? { pattern: field.pattern.what } : {}),
    ...('unit' in field && field.unit && /^[a-z]{3,}/.test(field.unit) ? { unit: field.unit } : {}),
    ...(field.kind === 'choice' ? { options: optionTexts(field.options) } : {}),
    ...(field.kind === 'table' ? { columns: mapFields(field.columns) } : {}),
  };
}

function mapFields(fields: Fields): Texts {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldTexts(field)]));
}

function optionTexts(options: Readonly<Record<string, string>>): Texts {
  return Object.fromEntries(Object.entries(options).map(([value, label]) => [optionKey(value), label]));
}

function outputTexts({ declaration }: Component): Texts {
  if (declaration.role === 'connector' || !declaration.outputs) return {};
  return { outputs: Object.fromEntries(declaration.outputs.map((label, i) => [String(i), label])) };
}

function nest(texts: Readonly<Record<string, string>>): Texts {
  const root: Record<string, string | Record<string, unknown>> = {};
  for (const [key, text] of Object.entries(texts)) {
    const parts = key.split('.');
    let at: Record<string, unknown> = root;
    for (const part of parts.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>;
    at[parts.at(-1) ?? key] = text;
  }
  return root as Texts;
}
