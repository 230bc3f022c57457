/** What one message sees: settings, overridden by its properties, typed fields evaluated. */
import { Failure, getPath, parsePath, type Message, type Path } from '../core';
import {
  isVisible,
  readField,
  type CallValuesOf,
  type Field,
  type Fields,
  type TypedValue,
  type ValuesOf,
} from '../spec';

export type Evaluate = (typed: TypedValue, msg: Message) => Promise<unknown>;
export interface Resolve<F extends Fields> {
  /** `given` replaces what would be evaluated by Node-RED. */
  (msg: Message, given?: Readonly<Record<string, unknown>>): CallValuesOf<F> | Promise<CallValuesOf<F>>;
  /** Fields whose values come from outside the message and may be others the next time. */
  readonly evaluated: readonly string[];
}

/** Where empty cannot be meant: it leaves the setting as it is. */
const HAS_NO_EMPTY: ReadonlySet<string> = new Set(['bool', 'choice', 'duration', 'int', 'number']);

type Source = (msg: Message) => unknown;

/**
 * Compiles once, so that a message costs only what it uses. Fields without typed values and overrides cost
 * nothing. The result is synchronous unless a typed field needs Node-RED (context, JSONata).
 */
export function compileValues<F extends Fields>(
  fields: F,
  config: ValuesOf<F>,
  evaluate: Evaluate,
): Resolve<F> {
  const sync: [string, Source][] = [];
  const later: [string, (msg: Message) => Promise<unknown>][] = [];
  const overrides: { name: string; path: Path; field: Field; property: string }[] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind === 'typed') {
      const typed = config[name] as TypedValue;
      const source = syncSource(typed);
      if (source) sync.push([name, source]);
      else later.push([name, (msg) => evaluate(typed, msg)]);
    }
    if (field.override)
      overrides.push({ name, field, property: field.override, path: parsePath(field.override) });
  }
  if (sync.length + later.length + overrides.length === 0) {
    return Object.assign(() => config as CallValuesOf<F>, { evaluated: [] });
  }

  const applyOverrides = (values: Record<string, unknown>, msg: Message): void => {
    for (const { name, path, field, property } of overrides) {
      const raw = path.length === 1 ? ownValue(msg, path[0]) : getPath(msg, path);
      if (raw === undefined || raw === null || (raw === '' && HAS_NO_EMPTY.has(field.kind))) continue;
      // What the form hides has no say, and a property of that name belongs to someone else.
      if (isVisible(fields, name, values)) values[name] = overriding(field, name, property, raw);
    }
  };
  const resolve = (
    msg: Message,
    given: Readonly<Record<string, unknown>> = {},
  ): CallValuesOf<F> | Promise<CallValuesOf<F>> => {
    const values: Record<string, unknown> = { ...config };
    for (const [name, source] of sync) values[name] = source(msg);
    if (later.length === 0) {
      applyOverrides(values, msg);
      return values as CallValuesOf<F>;
    }
    const results = later.map(([name, get]) => (Object.hasOwn(given, name) ? given[name] : get(msg)));
    return Promise.all(results).then((results) => {
      later.forEach(([name], i) => {
        values[name] = results[i];
      });
      applyOverrides(values, msg);
      return values as CallValuesOf<F>;
    });
  };
  return Object.assign(resolve, { evaluated: later.map(([name]) => name) });
}

function ownValue(msg: Message, name: string | number | undefined): unknown {
  return name !== undefined && Object.hasOwn(msg, name) ? msg[name] : undefined;
}

function overriding(field: Field, name: string, property: string, raw: unknown): unknown {
  if (field.kind === 'typed') return raw;
  const read = readField(field, name, raw);
  if ('value' in read) return read.value;
  const why = read.problems.map((one) => one.message).join(' ');
  throw new Failure('rejected', 'BAD_MESSAGE', `msg.${property} cannot be used: ${why}`, {
    reached: false,
    details: { property, problems: read.problems.map((one) => one.message) },
  });
}

/** Sources that need no Node-RED. Undefined for the rest. */
function syncSource(typed: TypedValue): Source | undefined {
  const { type, value } = typed;
  switch (type) {
    case 'str':
      return () => value;
    case 'num':
      return value === '' ? () => undefined : () => Number(value);
    case 'bool':
      return () => value === 'true';
    case 'json':
      // Parsed anew each time: the message owns the object and may change it.
      return value === '' ? () => undefined : () => JSON.parse(value) as unknown;
    case 'msg':
      return value === '' ? (msg) => msg : pathSource(value);
    default:
      return undefined;
  }
}

function pathSource(value: string): Source | undefined {
  let path: Path;
  try {
    path = parsePath(value);
  } catch {
    return undefined;
  }
  return (msg) => getPath(msg, path);
}
