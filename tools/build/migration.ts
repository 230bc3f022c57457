/**
 * Migration steps also run in the editor: otherwise a form would show an old node with new defaults, and
 * saving it would lose the old settings. A step must therefore be a function of its argument alone.
 */
import { runInNewContext } from 'node:vm';
import type { Fields, Migrations } from '../../lib/spec';

/** The steps as source text. Throws when one uses anything from outside itself. */
export function migrationSource(steps: Migrations | undefined, version: number): string {
  const entries = numbersOf(steps, version).map((from) => {
    const source = String(steps?.[from]);
    try {
      runInNewContext(`(${source})({})`);
    } catch (error) {
      throw new Error(
        `The migration from version ${from} must work on {} without names from outside itself.`,
        {
          cause: error,
        },
      );
    }
    return `${from}: ${source}`;
  });
  return `{ ${entries.join(', ')} }`;
}

/** Settings that only old versions had. Node-RED drops what `defaults` does not name when it loads a flow. */
export function legacyNames(fields: Fields, steps: Migrations | undefined, version: number): string[] {
  const read = new Set<string>();
  const spy = (): Record<string, unknown> =>
    new Proxy<Record<string, unknown>>(
      {},
      {
        get(_, name) {
          if (typeof name === 'string') read.add(name);
          return undefined;
        },
      },
    );
  for (const from of numbersOf(steps, version)) steps?.[from]?.(spy());
  const current = new Set(['configVersion', 'id', 'type', 'wires', 'credentials']);
  for (const [name, field] of Object.entries(fields)) {
    current.add(name);
    if (field.kind === 'typed') current.add(`${name}Type`);
  }
  return [...read].filter((name) => !current.has(name)).sort();
}

function numbersOf(steps: Migrations | undefined, version: number): number[] {
  return Object.keys(steps ?? {})
    .map(Number)
    .filter((from) => from < version)
    .sort((a, b) => a - b);
}
