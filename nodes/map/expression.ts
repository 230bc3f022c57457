/** Which JSONata expressions can be evaluated on the event loop: those whose work is bounded by their input. */
import type Jsonata from 'jsonata';

export type JsonataLibrary = typeof Jsonata;

export interface Expression {
  readonly text: string;
  /** Whether the expression can only do work in proportion to the size of what it reads. */
  readonly simple: boolean;
  readonly readsMsg: boolean;
  evaluate(input: unknown, msg: unknown): Promise<unknown>;
}

/** Throws what jsonata throws when the text is no expression. */
export function compileExpression(text: string, jsonata: JsonataLibrary): Expression {
  const compiled = jsonata(text);
  return {
    text,
    simple: isSimple(compiled.ast()),
    readsMsg: text.includes('$msg'),
    evaluate: (input, msg) => compiled.evaluate(input, { msg }) as Promise<unknown>,
  };
}

/** Functions whose work is in proportion to their arguments. */
const FUNCTIONS = new Set(
  (
    'string number boolean not exists uppercase lowercase trim length substring substringBefore substringAfter ' +
    'abs floor ceil round sqrt sum count max min average now millis'
  ).split(' '),
);
const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  string: ['value'],
  number: ['value'],
  value: ['value'],
  variable: ['value', 'predicate'],
  name: ['value', 'stages', 'keepArray'],
  path: ['steps', 'keepSingletonArray', 'keepArray', 'predicate'],
  binary: ['value', 'lhs', 'rhs', 'predicate'],
  unary: ['value', 'expression', 'expressions', 'lhs', 'consarray', 'predicate'],
  condition: ['condition', 'then', 'else', 'predicate'],
  block: ['expressions', 'predicate'],
  function: ['value', 'name', 'arguments', 'procedure', 'predicate'],
  filter: ['expr'],
};
const OPERATORS = new Set(['+', '-', '*', '/', '%', '=', '!=', '<', '<=', '>', '>=', '&', 'and', 'or', 'in']);
const MOST_NODES = 300;

type Node = Readonly<Record<string, unknown>>;

/**
 * An allow-list over the syntax tree: names, constants, operators, conditions, constructors, filters and
 * harmless functions. Everything else (regular expressions, ranges, lambdas, wildcards, sorting, grouping,
 * variables, the root from inside a path) may multiply work. Nodes that the tree shares count each time,
 * because they are evaluated each time.
 */
export function isSimple(ast: unknown): boolean {
  let left = MOST_NODES;

  const all = (nodes: unknown, inPath: boolean): boolean =>
    nodes === undefined || (Array.isArray(nodes) && nodes.every((one: unknown) => fine(one, inPath)));

  const fine = (value: unknown, inPath: boolean): boolean => {
    left -= 1;
    if (left < 0 || typeof value !== 'object' || value === null) return false;
    const node = value as Node;
    const known = KNOWN_KEYS[String(node.type)];
    if (!known) return false;
    if (!Object.keys(node).every((key) => key === 'type' || key === 'position' || known.includes(key)))
      return false;
    return fineParts(node, inPath) && all(node.stages, true) && all(node.predicate, true);
  };

  const fineParts = (node: Node, inPath: boolean): boolean => {
    switch (node.type) {
      case 'variable':
        return node.value === '' || (node.value === 'msg' && !inPath);
      case 'path':
        return finePath(node.steps, inPath);
      case 'binary':
        // A concatenation as a step doubles what the next step sees: ($ & $).($ & $) …
        if (node.value === '&' && inPath) return false;
        return OPERATORS.has(String(node.value)) && fine(node.lhs, inPath) && fine(node.rhs, inPath);
      case 'unary':
        return fineUnary(node, inPath);
      case 'condition':
        return (
          fine(node.condition, inPath) && fine(node.then, inPath) && (!node.else || fine(node.else, inPath))
        );
      case 'block':
        return all(node.expressions, inPath);
      case 'function':
        return isHarmless(node.procedure) && all(node.arguments, inPath);
      case 'filter':
        return fine(node.expr, true);
      default:
        return true;
    }
  };

  const fineUnary = (node: Node, inPath: boolean): boolean => {
    if (node.value === '-') return fine(node.expression, inPath);
    // A constructor as a step doubles what the next step sees: [$,$].[$,$].[$,$] …
    if (inPath) return false;
    if (node.value === '[') return all(node.expressions, inPath);
    return (
      node.value === '{' && Array.isArray(node.lhs) && node.lhs.every((pair: unknown) => all(pair, inPath))
    );
  };

  const finePath = (steps: unknown, inPath: boolean): boolean =>
    Array.isArray(steps) &&
    steps.every((step: unknown, i) => fine(step, inPath || i > 0 || (steps.length > 1 && !isStart(step))));

  return fine(ast, false);
}

/** `$msg` may start a path, but not stand in a later step or in a filter. */
function isStart(step: unknown): boolean {
  return typeof step === 'object' && step !== null && (step as Node).type === 'variable';
}

function isHarmless(procedure: unknown): boolean {
  if (typeof procedure !== 'object' || procedure === null) return false;
  const { type, value } = procedure as Node;
  return type === 'variable' && typeof value === 'string' && FUNCTIONS.has(value);
}
