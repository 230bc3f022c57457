import { defaultOf, isShown, readSetting } from './check';
import type { Fields, ValuesOf } from './fields';
import { problem, type Problem } from './problem';

export type Parsed<F extends Fields> =
  | { readonly ok: true; readonly values: ValuesOf<F> }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Parses the settings of a node. Never throws; returns every problem at once, named by label.
 * `secrets` are Node-RED's credentials of the node.
 */
export function parse<F extends Fields>(fields: F, raw: unknown, secrets?: unknown): Parsed<F> {
  if (typeof raw !== 'object' || raw === null) {
    return { ok: false, problems: [problem('', 'notObject', { label: '' })] };
  }
  const config = withDefaults(fields, raw as Record<string, unknown>);
  const hidden = typeof secrets === 'object' && secrets !== null ? (secrets as Record<string, unknown>) : {};
  const own = (from: Record<string, unknown>, name: string): unknown =>
    Object.hasOwn(from, name) ? from[name] : undefined;
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!isVisible(fields, name, config)) {
      values[name] = defaultOf(field);
      continue;
    }
    const source = field.kind === 'secret' ? hidden : config;
    const read = readSetting(field, name, own(source, name), own(source, `${name}Type`), config);
    if ('value' in read) values[name] = read.value;
    else problems.push(...read.problems);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, values: values as ValuesOf<F> };
}

/** A field that depends on a hidden field is hidden too. */
export function isVisible(fields: Fields, name: string, raw: Readonly<Record<string, unknown>>): boolean {
  const seen = new Set<string>();
  const visible = (one: string): boolean => {
    if (seen.has(one)) return true;
    seen.add(one);
    const condition = fields[one]?.showWhen;
    return isShown(condition, raw) && Object.keys(condition ?? {}).every((parent) => visible(parent));
  };
  return visible(name);
}

/** Conditions look at raw values, so a setting that an old flow does not have counts with its default. */
function withDefaults(fields: Fields, raw: Record<string, unknown>): Record<string, unknown> {
  const config = { ...raw };
  for (const [name, field] of Object.entries(fields)) {
    const missing = !Object.hasOwn(raw, name) || raw[name] === undefined || raw[name] === '';
    if (missing && (field.kind === 'choice' || field.kind === 'bool')) config[name] = field.default;
  }
  return config;
}
