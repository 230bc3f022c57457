import { Failure } from '../core';

/** Parsed and resolved settings of a connection, as lib/spec gives them. */
export type Settings = Readonly<Record<string, unknown>>;

/** The text of a setting, trimmed; '' when there is none. */
export function textOf(settings: Settings, name: string): string {
  const value = Object.hasOwn(settings, name) ? settings[name] : undefined;
  return typeof value === 'string' ? value.trim() : '';
}

/** A secret as it stands: blanks at its ends may belong to it. */
export function secretOf(settings: Settings, name: string): string {
  const value = Object.hasOwn(settings, name) ? settings[name] : undefined;
  return typeof value === 'string' ? value : '';
}

export function badSetting(label: string, problem: string): Failure {
  const details = { field: label };
  return new Failure('config', 'BAD_CONFIG', `"${label}" ${problem}.`, { reached: false, details });
}

export function required(value: string, label: string): string {
  if (value === '') throw badSetting(label, 'is empty');
  return value;
}
