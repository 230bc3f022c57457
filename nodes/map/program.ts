/**
 * The core of the map node: compiles the settings and maps messages. Runs in the runtime and, for the
 * preview, in the editor; libraries are handed in.
 */
import { Failure } from '../../lib/core/failure';
import type { Message } from '../../lib/core/message';
import { getPath, parsePath, type Path } from '../../lib/core/path';
import type { ValuesOf } from '../../lib/spec';
import { assign, isPlain } from './assign';
import { compileExpression, type Expression, type JsonataLibrary } from './expression';
import type { fields } from './fields';
import { compileRule, type Rule } from './rule';
import { compileTemplate, type MustacheLibrary, type Scope } from './template';
import { compileTree } from './tree';
import { textOf, Trouble } from './trouble';

export type MapConfig = ValuesOf<typeof fields>;
export interface Libraries {
  readonly mustache: MustacheLibrary;
  readonly jsonata: JsonataLibrary;
}

/** One evaluation of one expression. */
export interface Job {
  readonly expression: Expression;
  readonly input: unknown;
}
export type Outcome = { readonly value: unknown } | { readonly error: string };

/** What one message or element becomes; `outcomes` holds the results of its expressions, in order. */
type Make = (scope: Scope, outcomes: Iterator<Outcome>) => unknown;

export interface Program {
  readonly expressions: readonly Expression[];
  /** The message itself, or the elements of its array. Throws a Failure when there is no array. */
  inputs(msg: Message): readonly unknown[];
  jobs(msg: Message, inputs: readonly unknown[]): readonly Job[];
  /** Builds the message that leaves. Throws one Failure with every problem; the original stays as it is. */
  build(msg: Message, inputs: readonly unknown[], outcomes: readonly Outcome[]): Message;
}

const MOST_ELEMENTS = 100_000;
const MOST_PROBLEMS = 50;

/** Throws one `config` Failure that names every problem. */
export function compileProgram(config: MapConfig, libraries: Libraries): Program {
  const problems: string[] = [];
  const attempt = <T>(place: string, fn: () => T): T | undefined => {
    try {
      return fn();
    } catch (error) {
      problems.push(`${place}: ${textOf(error)}.`);
      return undefined;
    }
  };
  const rules = config.mode === 'rules' ? compileRules(config, libraries, attempt) : [];
  if (config.mode === 'rules' && config.rules.length === 0) problems.push('Rules: add at least one rule.');
  const template =
    config.mode === 'object'
      ? attempt('Object template', () => compileTree(config.objectTemplate, libraries.mustache))
      : config.mode === 'text'
        ? attempt('Text template', () => compileTemplate(config.textTemplate, libraries.mustache))
        : undefined;
  const array = config.each === 'elements' ? attempt('Array', () => parsePath(config.array)) : undefined;
  const whole = config.target.trim() === '';
  const target = whole ? undefined : attempt('Target', () => parsePath(config.target));
  if (whole && (config.mode === 'text' || (config.mode === 'object' && array))) {
    problems.push('Target: name the property that holds the result, for example "payload".');
  }
  if (problems.length > 0) {
    throw new Failure('config', 'BAD_CONFIG', problems.join(' '), { reached: false, details: { problems } });
  }
  const extend = config.result === 'extend';
  const make: Make = template
    ? (scope) => template(scope)
    : (scope, outcomes) => applyRules(rules, scope, outcomes, extend);
  const place = config.mode === 'rules' ? (array ?? undefined) : target;
  return programOf(rules, make, array, place, extend || (array !== undefined && config.mode === 'rules'));
}

function compileRules(
  config: MapConfig,
  { mustache, jsonata }: Libraries,
  attempt: <T>(place: string, fn: () => T) => T | undefined,
): Rule[] {
  const expression = (text: string): Expression => compileExpression(text, jsonata);
  return config.rules.flatMap((row, i) => {
    const parts = { mustache, expression, lookups: config.lookups };
    const rule = attempt(`Rules, row ${i + 1} (${row.target})`, () => compileRule(row, i + 1, parts));
    return rule ? [rule] : [];
  });
}

function programOf(
  rules: readonly Rule[],
  make: Make,
  array: Path | undefined,
  place: Path | undefined,
  keep: boolean,
): Program {
  const dynamic = rules.filter((rule) => rule.expression !== undefined);
  return {
    expressions: dynamic.flatMap(({ expression }) => (expression ? [expression] : [])),
    inputs: (msg) => (array ? elementsOf(msg, array) : [msg]),
    jobs: (msg, inputs) =>
      inputs.flatMap((input) =>
        dynamic.flatMap(({ expression, source }) =>
          expression ? [{ expression, input: source({ input, msg }) }] : [],
        ),
      ),
    build(msg, inputs, outcomes) {
      const problems: string[] = [];
      const results = inputs.map((input, i) => {
        try {
          const own = outcomes.slice(i * dynamic.length, (i + 1) * dynamic.length);
          return make({ input, msg }, own.values());
        } catch (error) {
          const where = array ? `Element ${i}, ` : '';
          for (const problem of problemsOf(error)) {
            if (problems.length < MOST_PROBLEMS)
              problems.push(`${where}${where ? uncapital(problem) : problem}`);
          }
          return undefined;
        }
      });
      if (problems.length > 0) throw badMessage(problems);
      return place || array
        ? put(msg, place ?? [], array ? results : results[0], keep)
        : whole(msg, results[0], keep);
    },
  };
}

function elementsOf(msg: Message, array: Path): readonly unknown[] {
  const value = getPath(msg, array);
  const path = `msg.${array.join('.')}`;
  if (!Array.isArray(value))
    throw badMessage([`${path} is no array, but the node maps each element of one.`]);
  if (value.length > MOST_ELEMENTS) throw badMessage([`${path} has more than ${MOST_ELEMENTS} elements.`]);
  return value as unknown[];
}

/** Rules go on after a problem, so that one failure names all of them. */
function applyRules(
  rules: readonly Rule[],
  scope: Scope,
  outcomes: Iterator<Outcome>,
  extend: boolean,
): object {
  const problems: string[] = [];
  const result: object = extend ? copyOf(scope.input) : {};
  const owned = new Set([result]);
  for (const rule of rules) {
    try {
      const outcome = rule.expression ? (outcomes.next().value as Outcome | undefined) : undefined;
      const value = rule.read(scope, outcome);
      if (value !== undefined) assign(result, rule.target, value, owned);
    } catch (error) {
      problems.push(`${rule.place}: ${textOf(error)}.`);
    }
  }
  if (problems.length > 0) throw new Problems(problems);
  return result;
}

class Problems extends Error {
  constructor(readonly list: readonly string[]) {
    super(list.join(' '));
  }
}

function problemsOf(error: unknown): readonly string[] {
  return error instanceof Problems ? error.list : [`The template cannot be filled: ${textOf(error)}.`];
}

function copyOf(input: unknown): object {
  if (!isPlain(input)) throw new Problems(['The element is no object, so it cannot be extended.']);
  return { ...input };
}

function put(msg: Message, place: Path, value: unknown, keep: boolean): Message {
  const result: Message = keep ? { ...msg } : bare(msg);
  try {
    assign(result, place, value, new Set([result]));
  } catch (error) {
    throw error instanceof Trouble ? badMessage([`Target: ${error.message}.`]) : error;
  }
  return result;
}

/** The result is the message. */
function whole(msg: Message, value: unknown, keep: boolean): Message {
  const result = isPlain(value) ? { ...value } : { payload: value };
  return { ...(keep ? msg : {}), ...result, ...bare(msg) };
}

/** Node-RED follows a message by its id. */
function bare(msg: Message): Message {
  return msg._msgid === undefined ? {} : { _msgid: msg._msgid };
}

function badMessage(problems: readonly string[]): Failure {
  const more = problems.length - 1;
  const rest = more > 0 ? ` (And ${more} more ${more === 1 ? 'problem' : 'problems'}.)` : '';
  return new Failure('rejected', 'BAD_MESSAGE', `${problems[0] ?? ''}${rest}`, {
    reached: false,
    details: { problems },
  });
}

function uncapital(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
