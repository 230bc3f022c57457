/** The declarations that the pages of the nodes registered, with their texts in the editor's language. */
import type { Field, Fields, Migrations } from '../spec';
import type { HoldfastForm } from './types';

export interface Spec {
  readonly type: string;
  readonly role: 'connector' | 'adapter' | 'trigger' | 'mapper' | 'monitor';
  /** Node set: the namespace of its catalogue. */
  readonly set: string;
  readonly version: number;
  /** Outputs without the one for delivery reports; undefined where there is never one. */
  readonly outputs?: number;
  readonly migrate: Migrations;
  /** Labels are English; `translated` has those of the editor's language. */
  readonly fields: Fields;
  /** Where the texts of each field stand: a key of the set, or one with its own namespace. */
  readonly keys: Readonly<Record<string, string>>;
}

export const SHARED = '@holdfast/node-red-integration/holdfast';

export class Specs {
  readonly #specs = new Map<string, Spec>();
  readonly #translated = new Map<string, Fields>();
  readonly #extensions = new Map<string, (form: HoldfastForm) => void>();

  define(spec: Spec): void {
    this.#specs.set(spec.type, spec);
    this.#translated.delete(spec.type);
  }

  get(type: string): Spec | undefined {
    return this.#specs.get(type);
  }

  extend(types: readonly string[], extend: (form: HoldfastForm) => void): void {
    for (const type of types) this.#extensions.set(type, extend);
  }

  extension(type: string): ((form: HoldfastForm) => void) | undefined {
    return this.#extensions.get(type);
  }

  /** The fields with labels in the editor's language; catalogues are there before any flow is. */
  translated(spec: Spec): Fields {
    let fields = this.#translated.get(spec.type);
    if (!fields) {
      fields = Object.fromEntries(
        Object.entries(spec.fields).map(([name, field]) => [name, translate(field, keyOf(spec, name))]),
      );
      this.#translated.set(spec.type, fields);
    }
    return fields;
  }
}

/** The full key of a field's texts, with namespace. */
export function keyOf(spec: Spec, name: string): string {
  const key = spec.keys[name] ?? `fields.${name}`;
  return key.includes(':') ? key : `${spec.set}:${key}`;
}

/** A text by its full key; `fallback` where no catalogue has it. `params` fill `__name__`. */
export function textOf(
  key: string,
  fallback: string,
  params: Readonly<Record<string, string | number>> = {},
): string {
  const text = RED._(key, params);
  return typeof text !== 'string' || text === '' || key.endsWith(text) ? fallback : text;
}

function translate(field: Field, key: string): Field {
  const label = textOf(`${key}.label`, field.label);
  switch (field.kind) {
    case 'table': {
      const columns = Object.entries(field.columns).map(([name, column]) => [
        name,
        {
          ...translate(column, `${key}.columns.${name}`),
          help: textOf(`${key}.columns.${name}.help`, column.help),
        },
      ]);
      return { ...field, label, columns: Object.fromEntries(columns) as typeof field.columns };
    }
    case 'choice': {
      const options = Object.entries(field.options).map(([value, text]) => [
        value,
        textOf(`${key}.options.${optionKey(value)}`, text),
      ]);
      return { ...field, label, options: Object.fromEntries(options) as typeof field.options };
    }
    case 'text': {
      const { placeholder, pattern } = field;
      return {
        ...field,
        label,
        ...(placeholder ? { placeholder: textOf(`${key}.placeholder`, placeholder) } : {}),
        ...(pattern ? { pattern: { ...pattern, what: textOf(`${key}.pattern`, pattern.what) } } : {}),
      };
    }
    default:
      return { ...field, label };
  }
}

/** i18next splits keys at dots and colons, so a value such as "TLSv1.2" needs another key. */
export function optionKey(value: string): string {
  return value.replace(/[^A-Za-z0-9-]/g, '-') || 'empty';
}
