/** The settings of a node as the form shows them: brought to the current version, with defaults filled in. */
import { migrate, type Field, type Fields } from '../spec';
import { plain } from './plain';
import type { Spec } from './specs';

export function settingsOf(
  spec: Spec,
  node: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return withDefaults(spec.fields, migrated(spec, node));
}

/** As saved where a step cannot read it or a newer version saved it: the checks then name what is wrong. */
function migrated(spec: Spec, node: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    const result = migrate({ ...node }, spec.version, spec.migrate);
    return 'config' in result ? result.config : node;
  } catch {
    return node;
  }
}

/** A flow written by hand or by an older version lacks settings that others depend on. */
function withDefaults(
  fields: Fields,
  raw: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const all: Record<string, unknown> = { ...raw };
  for (const [name, field] of Object.entries(fields)) {
    if (all[name] === undefined) {
      all[name] = defaultSetting(field);
      if (field.kind === 'typed') all[`${name}Type`] = field.default.type;
    } else if (field.kind === 'typed') {
      all[`${name}Type`] ??= field.default.type;
    }
  }
  return all;
}

function defaultSetting(field: Field): unknown {
  switch (field.kind) {
    case 'secret':
    case 'ref':
      return '';
    case 'typed':
      return field.default.value;
    default:
      return field.default ?? '';
  }
}

/** Puts a setting into Node-RED's inputs where they show something else. */
export function fillInput(
  row: HTMLElement,
  input: HTMLElement | null,
  field: Field,
  name: string,
  value: unknown,
  type: unknown,
): void {
  if (field.kind === 'secret' || field.kind === 'list' || field.kind === 'table') return;
  if (input instanceof HTMLInputElement && input.type === 'checkbox') {
    input.checked = value === true || value === 'true';
  } else if (input instanceof HTMLInputElement || input instanceof HTMLTextAreaElement) {
    input.value = plain(value);
  } else if (input instanceof HTMLSelectElement) {
    if (field.kind !== 'ref' || plain(value) !== '') input.value = plain(value);
  }
  const typeInput = row.querySelector<HTMLInputElement>(`input[type=hidden][id$="-${name}Type"]`);
  if (typeInput && type !== undefined) typeInput.value = plain(type);
}
