/** From what Node-RED stored to parsed settings, or to one failure that names every problem. */
import { Failure } from '../core';
import { migrate, parse, type Fields, type RawConfig, type ValuesOf } from '../spec';
import type { AnyDeclaration } from './declare';
import { allFields } from './framework-fields';

/** `ValuesOf` of all fields, own and framework's. */
export type Settings = Readonly<Record<string, unknown>>;

export function readSettings(declaration: AnyDeclaration, raw: RawConfig, secrets: RawConfig): Settings {
  const migrated = migrate(raw, declaration.version, declaration.migrate);
  if ('problem' in migrated) throw badConfig([migrated.problem.message]);
  const parsed = parse(allFields(declaration), migrated.config, secrets);
  if (!parsed.ok) throw badConfig(parsed.problems.map((one) => one.message));
  return parsed.values;
}

export function badConfig(problems: readonly string[]): Failure {
  return new Failure('config', 'BAD_CONFIG', problems.join(' '), { reached: false, details: { problems } });
}

/** The part of the settings that the component itself declared. */
export function ownSettings<F extends Fields>(fields: F, settings: Settings): ValuesOf<F> {
  const own: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) own[name] = settings[name];
  return own as ValuesOf<F>;
}
