/** One row of the rules table, compiled. */
import { getPath, parsePath, type Path } from '../../lib/core/path';
import type { TableField, ValueOf } from '../../lib/spec';
import { convert } from './convert';
import type { Expression } from './expression';
import type { fields } from './fields';
import type { Outcome } from './program';
import { compileTemplate, type MustacheLibrary, type Scope } from './template';
import { lookup, scale, unit, type LookupRow } from './transforms';
import { Trouble } from './trouble';

type Columns = (typeof fields)['rules'] extends TableField<infer C> ? C : never;
export type RuleRow = { readonly [K in keyof Columns]: ValueOf<Columns[K]> };

export interface Rule {
  /** How problems name it: `Rule 2 (payload.t → payload.celsius)`. */
  readonly place: string;
  readonly target: Path;
  readonly expression: Expression | undefined;
  /** What the transform starts from. */
  readonly source: (scope: Scope) => unknown;
  /** The converted value; undefined leaves the target as it is. Throws when the rule cannot be kept. */
  read(scope: Scope, outcome: Outcome | undefined): unknown;
}

interface Parts {
  readonly mustache: MustacheLibrary;
  readonly expression: (text: string) => Expression;
  readonly lookups: readonly LookupRow[];
}
type Transform = (value: unknown, scope: Scope, outcome: Outcome | undefined) => unknown;

/** Throws when the row is wrong. */
export function compileRule(row: RuleRow, number: number, parts: Parts): Rule {
  const hasSource = row.source.trim() !== '';
  const source = hasSource ? readPath(row.source) : ({ input }: Scope): unknown => input;
  const needsSource = row.transform !== 'template' && row.transform !== 'jsonata';
  if (needsSource && !hasSource && (row.transform !== 'none' || row.default === '')) {
    throw new Trouble('the source is empty');
  }
  const expression = row.transform === 'jsonata' ? parts.expression(needSetting(row)) : undefined;
  const transform = transformOf(row, parts);
  const fallback = row.default === '' ? undefined : convert(row.default, row.type);
  const missing = hasSource ? `${shownSource(row.source)} is missing` : 'the result is empty';
  return {
    place: `Rule ${number} (${hasSource ? `${row.source} → ` : ''}${row.target})`,
    target: parsePath(row.target.replace(/^msg\.(?=.)/, '')),
    expression,
    source,
    read(scope, outcome) {
      const value = hasSource || !needsSource ? source(scope) : undefined;
      const ready = value === undefined || value === null;
      const made = ready && hasSource ? value : transform(value, scope, outcome);
      if (made !== undefined && made !== null) return convert(made, row.type);
      if (fallback !== undefined) return copied(fallback, row);
      if (row.required) throw new Trouble(`${missing}, and the rule requires it`);
      return made;
    },
  };
}

/** A default object belongs to the message that gets it. */
function copied(fallback: unknown, row: RuleRow): unknown {
  return typeof fallback === 'object' ? convert(row.default, row.type) : fallback;
}

function transformOf(row: RuleRow, { mustache, lookups }: Parts): Transform {
  switch (row.transform) {
    case 'none':
      return (value) => value;
    case 'template': {
      const template = compileTemplate(needSetting(row), mustache);
      return (value, { input, msg }) => template({ input: value, around: input, msg });
    }
    case 'jsonata':
      return (_value, _scope, outcome) => {
        if (!outcome) throw new Trouble('the expression was not evaluated');
        if ('error' in outcome) throw new Trouble(outcome.error);
        return outcome.value;
      };
    case 'lookup':
      return lookup(row.setting, lookups);
    case 'scale':
      return scale(needSetting(row));
    case 'unit':
      return unit(needSetting(row));
  }
}

function needSetting({ setting, transform }: RuleRow): string {
  if (setting.trim() === '') throw new Trouble(`the transform "${transform}" needs a setting`);
  return setting;
}

/** A leading `msg` means the whole message, also where the rules apply to elements. */
function readPath(text: string): (scope: Scope) => unknown {
  const path = parsePath(text.trim());
  if (path[0] !== 'msg') return ({ input }) => getPath(input, path);
  const rest = path.slice(1);
  return ({ msg }) => getPath(msg, rest);
}

function shownSource(source: string): string {
  return source.trim().startsWith('msg') ? source.trim() : `"${source.trim()}"`;
}
