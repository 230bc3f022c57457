import { problem, type Problem } from './problem';

export type RawConfig = Record<string, unknown>;
export type Migrations = Readonly<Record<number, (old: RawConfig) => RawConfig>>;

/**
 * Brings saved settings to the current version. `configVersion` says which one saved them; settings without
 * it are version 1. A newer version than ours is a problem, never a guess.
 */
export function migrate(
  raw: RawConfig,
  version: number,
  steps: Migrations = {},
): { readonly config: RawConfig } | { readonly problem: Problem } {
  const { configVersion } = raw;
  const saved = typeof configVersion === 'string' ? Number(configVersion) : configVersion;
  const from = typeof saved === 'number' && Number.isSafeInteger(saved) && saved >= 1 ? saved : 1;
  if (from > version) {
    return { problem: problem('configVersion', 'tooNew', { label: 'Version', value: from, max: version }) };
  }
  let config = raw;
  for (let at = from; at < version; at += 1) {
    const step = steps[at];
    if (step) config = { ...step(config), configVersion: at + 1 };
  }
  return { config };
}
